import type { Clock } from "../clock.ts";
import { createIdMap, type IdMap } from "../id-map.ts";

// Deadlines further away than this share timers: a platform timer for each of 50 000 calls a second costs as much as
// the call.
const near = 1_000;
const bucketWidth = 100;

/** Runs tasks at their deadlines: never early, late by at most 10 %, and by at most 100 ms. Times in ms. */
export interface Deadlines {
  /** Runs `task` once after `delay`; returns its undo. `Infinity`: never. */
  after(delay: number, task: () => void): () => void;
  /** Nothing more is expected soon: no timer is left that nobody waits for. */
  rest(): void;
}

interface Bucket {
  readonly tasks: IdMap<() => void>;
  undo(): void;
}

/** Many deadlines on few timers. */
export function createDeadlines(clock: Clock): Deadlines {
  const buckets = new Map<number, Bucket>();
  let last = 0;
  // The one that became empty last keeps its timer: a call that follows another needs no new one.
  let spare = 0;

  function bucketAt(index: number): Bucket {
    const there = buckets.get(index);
    if (there) return there;
    const tasks = createIdMap<() => void>();
    const undo = clock.after(index * bucketWidth - clock.now(), () => {
      buckets.delete(index);
      for (const number of tasks.ids()) tasks.get(number)?.();
    });
    const bucket = { tasks, undo };
    buckets.set(index, bucket);
    return bucket;
  }

  function leave(index: number, { tasks }: Bucket, number: number): void {
    if (!tasks.delete(number) || tasks.size > 0 || index === spare) return;
    rest();
    spare = index;
  }

  function rest(): void {
    const bucket = buckets.get(spare);
    if (bucket?.tasks.size !== 0) return;
    buckets.delete(spare);
    bucket.undo();
  }

  return {
    after(delay, task) {
      if (delay === Number.POSITIVE_INFINITY) return () => {};
      if (delay < near) return clock.after(delay, task);
      const index = Math.ceil((clock.now() + delay) / bucketWidth);
      const bucket = bucketAt(index);
      const number = ++last;
      bucket.tasks.add(number, task);
      return () => leave(index, bucket, number);
    },
    rest,
  };
}
