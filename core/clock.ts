/** The time and the timers: of the platform, or virtual in tests. Times in ms. */
export interface Clock {
  /** The time on a monotonic clock with an arbitrary zero. */
  now(): number;
  /** Runs `task` once after `delay` ms. Returns its undo. With `Infinity` it never runs. */
  after(delay: number, task: () => void): () => void;
}

// Platform timers fire at once if the delay is longer.
const maxTimerMs = 2 ** 31 - 1;

// The result of `now` until the current microtask ends: in browsers performance.now() costs as much as writing a frame.
let cachedNow: number | undefined;

const settled = Promise.resolve();

/** Runs `task` after the microtasks that are queued. In browsers this costs less than half of `queueMicrotask`. */
export function microtask(task: () => void): void {
  settled.then(task);
}

function now(): number {
  if (cachedNow !== undefined) return cachedNow;
  microtask(clearNow);
  cachedNow = performance.now();
  return cachedNow;
}

function clearNow(): void {
  cachedNow = undefined;
}

/** The platform's time and timers. `now` does not change within one turn of the event loop. */
export const systemClock: Clock = {
  now,
  after(delay, task) {
    if (delay > maxTimerMs) return () => {};
    // The time may have passed already.
    const timer = setTimeout(task, Math.max(0, delay));
    return () => clearTimeout(timer);
  },
};
