import type { Clock } from "../../clock.ts";

/** A timer that ends a connection on which nothing arrives. */
export interface Watchdog {
  /** Starts again: something has arrived, or is expected within `limitMs`. */
  restart(limitMs: number): void;
  stop(): void;
}

// A timer that fires this much too late means that this machine slept, not that the server was silent.
const sleepToleranceMs = 2_000;

/** Calls `onTimeout` when the limit has passed, or `onOverslept` when this machine slept during it. */
export function createWatchdog(clock: Clock, onTimeout: () => void, onOverslept: () => void): Watchdog {
  let undo = () => {};
  return {
    restart(limitMs) {
      undo();
      const due = clock.now() + limitMs;
      undo = clock.after(limitMs, () => (clock.now() > due + sleepToleranceMs ? onOverslept() : onTimeout()));
    },
    stop() {
      undo();
    },
  };
}
