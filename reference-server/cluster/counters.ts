import type { Clock } from "../clock.ts";
import type { ClusterNode } from "./cluster.ts";

// With more keys than this, windows that have ended are removed.
const sweepAt = 10_000;

/** Creates in-memory counters of uses by key, in fixed time windows. */
export function createCounters(clock: Clock): Pick<ClusterNode, "consume" | "refund"> {
  const windows = new Map<string, { used: number; ends: number }>();
  let sweepBeyond = sweepAt;

  function sweep(now: number): void {
    for (const [key, { ends }] of windows) if (ends <= now) windows.delete(key);
    sweepBeyond = Math.max(sweepAt, 2 * windows.size);
  }

  return {
    async consume(key, limit, period) {
      const now = clock.now();
      if (windows.size > sweepBeyond) sweep(now);
      let window = windows.get(key);
      // A window that ends later than one period from now means that the clock was set back: start a new one.
      if (window === undefined || window.ends <= now || window.ends - now > period) {
        window = { used: 0, ends: now + period };
        windows.set(key, window);
      }
      if (window.used >= limit) return window.ends - now;
      window.used++;
      return 0;
    },
    async refund(key) {
      const window = windows.get(key);
      if (window && window.used > 0) window.used--;
    },
  };
}
