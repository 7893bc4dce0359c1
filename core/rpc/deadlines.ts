import type { Clock } from "../clock.ts";

// Deadlines further away than this share timers: a platform timer for each of 50 000 calls a second costs as much as
// the call.
const near = 1_000;
const bucketWidth = 100;

/** Runs tasks at their deadlines: never early, late by at most 10 %, and by at most 100 ms. Times in ms. */
export interface Deadlines {
  /** Runs `task` once after `delay`; returns its undo. `Infinity`: never. */
  after(delay: number, task: () => void): () => void;
}

/** Many deadlines on few timers. */
export function createDeadlines(clock: Clock): Deadlines {
  const buckets = new Map<number, Set<() => void>>();

  function bucketAt(index: number): Set<() => void> {
    const there = buckets.get(index);
    if (there) return there;
    const tasks = new Set<() => void>();
    buckets.set(index, tasks);
    clock.after(index * bucketWidth - clock.now(), () => {
      buckets.delete(index);
      for (const task of tasks) task();
    });
    return tasks;
  }

  return {
    after(delay, task) {
      if (delay === Number.POSITIVE_INFINITY) return () => {};
      if (delay < near) return clock.after(delay, task);
      const tasks = bucketAt(Math.ceil((clock.now() + delay) / bucketWidth));
      // The same function may wait twice.
      const waiting = () => task();
      tasks.add(waiting);
      return () => tasks.delete(waiting);
    },
  };
}
