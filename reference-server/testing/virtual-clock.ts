import type { Clock } from "../clock.ts";

/** A clock that a test advances. */
export interface VirtualClock extends Clock {
  /** Runs everything that is due within the next `span` ms, in order of time. */
  advance(span: number): void;
}

/** Starts at the real time, which certificates need. */
export function virtualClock(): VirtualClock {
  const tasks = new Set<{ at: number; task: () => void }>();
  let now = Date.now();

  return {
    now: () => now,
    after(delay, task) {
      const one = { at: now + Math.max(0, delay), task };
      tasks.add(one);
      return () => tasks.delete(one);
    },
    advance(span) {
      const end = now + span;
      for (;;) {
        const due = [...tasks].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        tasks.delete(due);
        now = due.at;
        due.task();
      }
      now = end;
    },
  };
}
