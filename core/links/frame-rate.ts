import type { Clock } from "../clock.ts";

/** Counts what one link brings within a second. */
export interface FrameRate {
  /** Whether `frames` more stay within the budget; a message counts as one frame at least. */
  admits(frames: number): boolean;
}

const second = 1_000;

/** A count that begins anew once a second has passed, so that a burst may be the budget of two. */
export function createFrameRate(clock: Pick<Clock, "now">, framesPerSecond: number): FrameRate {
  let since = clock.now();
  let counted = 0;
  return {
    admits(frames) {
      const now = clock.now();
      if (now - since >= second) {
        since = now;
        counted = 0;
      }
      counted += Math.max(1, frames);
      return counted <= framesPerSecond;
    },
  };
}
