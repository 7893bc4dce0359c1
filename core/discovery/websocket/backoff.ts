const firstLimitMs = 500;
const maxLimitMs = 10_000;

/** Random delays below a limit that doubles: "full jitter" (AWS Architecture Blog, 2015), so that clients spread out. */
export interface Backoff {
  /** Returns the delay before the next attempt, in ms, and doubles the limit. */
  next(): number;
  /** Starts again with the lowest limit. */
  reset(): void;
}

/** Creates a backoff from 0.5 s to 10 s. `random` returns numbers from 0 up to 1. */
export function createBackoff(random: () => number): Backoff {
  let limitMs = firstLimitMs;
  return {
    next() {
      const delayMs = random() * limitMs;
      limitMs = Math.min(limitMs * 2, maxLimitMs);
      return delayMs;
    },
    reset() {
      limitMs = firstLimitMs;
    },
  };
}
