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

interface Bucket {
  readonly tasks: Set<() => void>;
  undo(): void;
}

/** Many deadlines on few timers. */
export function createDeadlines(clock: Clock): Deadlines {
  const buckets = new Map<number, Bucket>();

  function bucketAt(index: number): Bucket {
    const there = buckets.get(index);
    if (there) return there;
    const tasks = new Set<() => void>();
    const undo = clock.after(index * bucketWidth - clock.now(), () => {
      buckets.delete(index);
      for (const task of tasks) task();
    });
    const bucket = { tasks, undo };
    buckets.set(index, bucket);
    return bucket;
  }

  // A timer that nobody waits for would keep a Node process from its end.
  function leave(index: number, { tasks, undo }: Bucket, task: () => void): void {
    if (!tasks.delete(task) || tasks.size > 0 || !buckets.delete(index)) return;
    undo();
  }

  return {
    after(delay, task) {
      if (delay === Number.POSITIVE_INFINITY) return () => {};
      if (delay < near) return clock.after(delay, task);
      const index = Math.ceil((clock.now() + delay) / bucketWidth);
      const bucket = bucketAt(index);
      // The same function may wait twice.
      const waiting = () => task();
      bucket.tasks.add(waiting);
      return () => leave(index, bucket, waiting);
    },
  };
}
