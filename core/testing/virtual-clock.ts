import type { Clock } from "../clock.ts";

/** A clock whose time passes only by `advance`. */
export interface VirtualClock extends Clock {
  /**
   * Advances the time by `ms`. The tasks that become due run in order of their time; the timers and promises that each
   * one starts run before the next. Resolves when all of them have run.
   */
  advance(ms: number): Promise<void>;
  /** The number of scheduled tasks. */
  readonly waiting: number;
}

/** Creates a clock at 0. */
export function createVirtualClock(): VirtualClock {
  // By time; tasks of the same time in the order in which they were scheduled.
  const due = new Map<number, Set<() => void>>();
  let waiting = 0;
  let now = 0;

  function remove(time: number, tasks: Set<() => void>, task: () => void): boolean {
    if (!tasks.delete(task)) return false;
    waiting--;
    if (tasks.size === 0) due.delete(time);
    return true;
  }

  async function runAll(time: number, tasks: Set<() => void>): Promise<void> {
    for (const task of tasks) {
      remove(time, tasks, task);
      now = time;
      task();
      await settle();
    }
  }

  return {
    now: () => now,
    get waiting() {
      return waiting;
    },
    after(delay, run) {
      if (delay === Number.POSITIVE_INFINITY) return () => {};
      const time = now + Math.max(0, delay);
      const tasks = due.get(time) ?? new Set();
      const task = () => run();
      due.set(time, tasks.add(task));
      waiting++;
      return () => remove(time, tasks, task);
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (let time = earliest(due); time <= end; time = earliest(due)) await runAll(time, due.get(time)!);
      now = end;
    },
  };
}

function earliest(due: ReadonlyMap<number, unknown>): number {
  let first = Number.POSITIVE_INFINITY;
  for (const time of due.keys()) first = Math.min(first, time);
  return first;
}

// Runs after all pending promise callbacks, which a microtask would not.
function settle(): Promise<void> {
  return new Promise((resolve) => void (globalThis.setImmediate ?? setTimeout)(resolve));
}
