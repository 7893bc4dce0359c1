import type { Clock } from "./clock.ts";

/** Whether `count` more, 1 by default, stay within a budget. */
export type RateLimiter = (count?: number) => boolean;

/** `most` in `period` ms. The count begins anew once that has passed, so that a burst may be the budget of two. */
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
