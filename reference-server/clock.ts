/** A source of time, injectable for tests. Times in ms. */
export interface Clock {
  /** Since 1970. */
  now(): number;
  /** Runs `task` once, `delay` ms from now; returns a function that cancels it. */
  after(delay: number, task: () => void): () => void;
}

// The longest delay of setTimeout; a longer one would fire at once.
const longestTimer = 2 ** 31 - 1;

/** The system clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: Date.now,
  after(delay, task) {
    let timer: NodeJS.Timeout;
    wait(delay);
    return () => clearTimeout(timer);

    function wait(left: number): void {
      const now = Math.min(left, longestTimer);
      timer = setTimeout(() => (left > now ? wait(left - now) : task()), now).unref();
    }
  },
};

/**
 * Runs `task` once, `delay` ms from now, unless a frame that has arrived cancels it: a process that slept handles its
 * timers before it reads its sockets. Returns a function that cancels it.
 */
export function afterReading(clock: Clock, delay: number, task: () => void): () => void {
  let reading: NodeJS.Immediate | undefined;
  const stop = clock.after(delay, () => {
    reading = setImmediate(task);
  });
  return () => {
    stop();
    clearImmediate(reading);
  };
}

/** Runs `task` every `period` ms, counted from the end of the previous run; returns a function that stops it. */
export function every(clock: Clock, period: number, task: () => Promise<void> | void): () => void {
  let over = false;
  let stop = clock.after(period, run);
  return () => {
    over = true;
    stop();
  };

  async function run(): Promise<void> {
    await task();
    if (!over) stop = clock.after(period, run);
  }
}
