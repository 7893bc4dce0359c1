import type { Clock } from "../clock.ts";
import type { ClusterNode } from "./cluster.ts";

// Beyond this many keys, those whose window is over are swept out.
const sweepAt = 10_000;

/** Counts uses by key in fixed windows of time, in memory. */
export function createCounters(clock: Clock): Pick<ClusterNode, "take" | "giveBack"> {
  const windows = new Map<string, { used: number; ends: number }>();
  let sweepBeyond = sweepAt;

  function sweep(now: number): void {
    for (const [key, { ends }] of windows) if (ends <= now) windows.delete(key);
    sweepBeyond = Math.max(sweepAt, 2 * windows.size);
  }

  return {
    async take(key, limit, period) {
      const now = clock.now();
      if (windows.size > sweepBeyond) sweep(now);
      let window = windows.get(key);
      // One that ends too far from now is over, too: the clock was set back.
      if (window === undefined || window.ends <= now || window.ends - now > period) {
        window = { used: 0, ends: now + period };
        windows.set(key, window);
      }
      if (window.used >= limit) return window.ends - now;
      window.used++;
      return 0;
    },
    async giveBack(key) {
      const window = windows.get(key);
      if (window && window.used > 0) window.used--;
    },
  };
}
