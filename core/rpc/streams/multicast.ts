import type { BonevalueError } from "../../errors.ts";
import type { PullSource } from "./pull.ts";

type Waiter = PromiseWithResolvers<IteratorResult<unknown>>;

/**
 * Shares `source` among `count` readers in lock-step. Each reader gets every item. The next item is pulled when all readers
 * that have not cancelled ask for it, so the slowest sets the pace, and nothing is kept for it.
 */
export function multicast(source: PullSource, count: number): PullSource[] {
  const readers = new Set<PullSource>();
  const waiting = new Map<PullSource, Pick<Waiter, "resolve" | "reject">>();

  function pullWhenAllWait(): void {
    if (waiting.size < readers.size) return;
    const waiters = [...waiting.values()];
    waiting.clear();
    source.next().then(
      (result) => {
        for (const { resolve } of waiters) resolve(result);
      },
      (error) => {
        for (const { reject } of waiters) reject(error);
      },
    );
  }

  function cancel(reader: PullSource, reason: BonevalueError): void {
    if (!readers.delete(reader)) return;
    waiting.delete(reader);
    if (readers.size === 0) source.cancel(reason);
    else if (waiting.size > 0) pullWhenAllWait();
  }

  for (let index = 0; index < count; index++) {
    const reader: PullSource = {
      isShared: true,
      next: () =>
        new Promise((resolve, reject) => {
          waiting.set(reader, { resolve, reject });
          pullWhenAllWait();
        }),
      cancel: (reason) => cancel(reader, reason),
    };
    readers.add(reader);
  }
  return [...readers];
}
