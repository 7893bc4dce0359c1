import type { Clock } from "./clock.ts";

/** Whether `count` more, 1 by default, stay within a budget. */
export type RateLimiter = (count?: number) => boolean;

/** Allows `most` in `period` ms. The count restarts after each period, so a burst may use the budget of two periods. */
export function createRateLimiter(clock: Pick<Clock, "now">, most: number, period: number): RateLimiter {
  let since = clock.now();
  let counted = 0;
  return (count = 1) => {
    const now = clock.now();
    if (now - since >= period) {
      since = now;
      counted = 0;
    }
    counted += count;
    return counted <= most;
  };
}
