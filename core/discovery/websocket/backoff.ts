const firstCap = 500;
const lastCap = 10_000;

/** How long to wait before each new attempt: drawn from 0 to a cap that doubles from 0.5 s to 10 s. */
export interface Backoff {
  /** In ms; raises the cap for the next. */
  next(): number;
  /** Begins again with the lowest cap. */
  reset(): void;
}

/** `random` gives numbers from 0 up to 1. */
export function createBackoff(random: () => number): Backoff {
  let cap = firstCap;
  return {
    next() {
      const wait = random() * cap;
      cap = Math.min(cap * 2, lastCap);
      return wait;
    },
    reset() {
      cap = firstCap;
    },
  };
}
