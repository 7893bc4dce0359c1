import type { Clock } from "./clock.ts";

/** Counts `count` more uses, 1 by default. Returns whether they are within the limit. */
export type RateLimiter = (count?: number) => boolean;

/** Allows `max` uses in `periodMs`. The count restarts after each period, so a burst may use the budget of two periods. */
export function createRateLimiter(clock: Pick<Clock, "now">, max: number, periodMs: number): RateLimiter {
  let since = clock.now();
  let counted = 0;
  return (count = 1) => {
    const now = clock.now();
    if (now - since >= periodMs) {
      since = now;
      counted = 0;
    }
    counted += count;
    return counted <= max;
  };
}
