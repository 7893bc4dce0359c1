import type { Clock } from "../clock.ts";
import { createIdMap, type IdMap } from "../id-map.ts";

/** A task that waits for its time. Its fields belong to {@link createDeadlines}. */
export interface Deadline {
  readonly id: number;
  /** In ms, from the start or from the last renewal. */
  readonly delay: number;
  readonly task: () => void;
  /** When the task is due, by the clock. */
  due: number;
  /** The shared timer that it waits for, or the undo of a timer of its own. */
  bucket: Bucket | undefined;
  undo: (() => void) | undefined;
}

/** Runs tasks at their deadlines: never early, late by at most 100 ms. Times in ms. */
export interface Deadlines {
  /** Runs `task` once after `delay`. `Infinity`: never. */
  after(delay: number, task: () => void): Deadline;
  /** Postpones the task to its full delay from now. Frequent, so it only writes down a time. */
  renew(deadline: Deadline): void;
  /** Cancels the task. Stopping it again, or after it ran, does nothing. */
  stop(deadline: Deadline | undefined): void;
  /** Undoes the timer that no task waits for. To be called when no new deadline is expected soon. */
  clearSpareTimer(): void;
}

/** Deadlines that are due within the same 100 ms, and their timer. */
interface Bucket {
  readonly index: number;
  readonly waiting: IdMap<Deadline>;
  readonly undo: () => void;
}

// Deadlines further away than this share timers.
const near = 1_000;
const bucketWidth = 100;

/**
 * Many deadlines on few timers.
 *
 * A platform timer for each of 50 000 calls a second costs as much as the calls. So a deadline that is at least one second
 * away joins a bucket: all deadlines that are due within the same 100 ms, on one timer at the end of these. A closer
 * deadline gets a timer of its own. A renewed deadline stays in its bucket; when the timer fires, it joins a later one.
 *
 * The bucket that became empty last keeps its timer, since the next call usually needs the same one.
 */
export function createDeadlines(clock: Clock): Deadlines {
  const buckets = new Map<number, Bucket>();
  let lastId = 0;
  let spare: Bucket | undefined;

  function bucketAt(index: number): Bucket {
    const existing = buckets.get(index);
    if (existing) return existing;
    const waiting = createIdMap<Deadline>();
    const undo = clock.after(index * bucketWidth - clock.now(), () => {
      buckets.delete(index);
      for (const id of waiting.ids()) {
        const deadline = waiting.get(id);
        if (deadline && waiting.delete(id)) onTimer(deadline);
      }
    });
    const bucket = { index, waiting, undo };
    buckets.set(index, bucket);
    return bucket;
  }

  function schedule(deadline: Deadline): void {
    const left = deadline.due - clock.now();
    if (left < near) {
      deadline.undo = clock.after(left, () => onTimer(deadline));
      return;
    }
    deadline.bucket = bucketAt(Math.ceil(deadline.due / bucketWidth));
    deadline.bucket.waiting.add(deadline.id, deadline);
  }

  function onTimer(deadline: Deadline): void {
    deadline.bucket = undefined;
    if (deadline.due > clock.now()) schedule(deadline);
    else deadline.task();
  }

  function clearSpareTimer(): void {
    if (spare?.waiting.size === 0 && buckets.delete(spare.index)) spare.undo();
    spare = undefined;
  }

  return {
    after(delay, task) {
      const due = clock.now() + delay;
      const deadline: Deadline = { id: ++lastId, delay, task, due, bucket: undefined, undo: undefined };
      if (delay !== Number.POSITIVE_INFINITY) schedule(deadline);
      return deadline;
    },
    renew(deadline) {
      deadline.due = clock.now() + deadline.delay;
    },
    stop(deadline) {
      if (!deadline) return;
      deadline.undo?.();
      const { bucket } = deadline;
      if (!bucket?.waiting.delete(deadline.id) || bucket.waiting.size > 0 || bucket === spare) return;
      clearSpareTimer();
      spare = bucket;
    },
    clearSpareTimer,
  };
}
