import type { Clock } from "../clock.ts";

/** A clock that stands still until it is told to go on. */
export interface VirtualClock extends Clock {
  /**
   * Lets `ms` pass. What falls due meanwhile runs in order of its time, and what that sets going, timers and promises
   * alike, runs before the next. Resolves when all has come to rest.
   */
  advance(ms: number): Promise<void>;
  /** How many tasks wait for their time. */
  readonly waiting: number;
}

interface Task {
  readonly due: number;
  run(): void;
}

/** A clock of its own, at 0. */
export function createVirtualClock(): VirtualClock {
  const tasks = new Set<Task>();
  let now = 0;

  // Tasks of one time keep the order in which they were set.
  const nextUntil = (end: number) => {
    let next: Task | undefined;
    for (const task of tasks) if (task.due <= end && (!next || task.due < next.due)) next = task;
    return next;
  };

  return {
    now: () => now,
    get waiting() {
      return tasks.size;
    },
    after(delay, run) {
      const task = { due: now + Math.max(0, delay), run };
      if (delay < Number.POSITIVE_INFINITY) tasks.add(task);
      return () => tasks.delete(task);
    },
    async advance(ms) {
      const end = now + ms;
      await rest();
      for (let task = nextUntil(end); task; task = nextUntil(end)) {
        tasks.delete(task);
        now = task.due;
        task.run();
        await rest();
      }
      now = end;
    },
  };
}

// After everything that promises have queued, which a microtask would not be.
function rest(): Promise<void> {
  return new Promise((resolve) => void (globalThis.setImmediate ?? setTimeout)(resolve));
}
