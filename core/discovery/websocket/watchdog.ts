import type { Clock } from "../../clock.ts";

/** Notices that nothing has been heard for too long. */
export interface Watchdog {
  /** Something was heard, or is only now expected: `limit` ms from now is too long. */
  restart(limit: number): void;
  stop(): void;
}

// A timer that fires this much too late says that we slept, and not that the other side did.
const slack = 2_000;

/** Calls `tooLong` once for each limit that passes; `overslept` when we cannot tell, since our timers did not run. */
export function createWatchdog(clock: Clock, tooLong: () => void, overslept: () => void): Watchdog {
  let stop = () => {};
  return {
    restart(limit) {
      stop();
      const due = clock.now() + limit;
      stop = clock.after(limit, () => (clock.now() > due + slack ? overslept() : tooLong()));
    },
    stop() {
      stop();
    },
  };
}
