import type { Deadlines } from "./deadlines.ts";

/** A deadline that moves on with every sign of life. */
export interface Renewable {
  /** It is `delay` from now again. */
  renew(): void;
  stop(): void;
}

/** Runs `task` when `delay` ms have passed since now, or since the last `renew`. */
export function createRenewable(deadlines: Deadlines, now: () => number, delay: number, task: () => void): Renewable {
  let since = now();
  let undo: () => void;

  // Signs of life are frequent, so they only write down a time; the timer looks at it when it fires.
  function wait(left: number): void {
    undo = deadlines.after(left, () => {
      const left = since + delay - now();
      if (left > 0) wait(left);
      else task();
    });
  }

  wait(delay);
  return {
    renew() {
      since = now();
    },
    stop: () => undo(),
  };
}
