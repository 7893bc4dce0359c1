import type { BonevalueError } from "../../errors.ts";
import type { PullSource } from "./pull.ts";

interface Waiting {
  resolve(result: IteratorResult<unknown>): void;
  reject(error: unknown): void;
}

/**
 * Shares what can be pulled once among `count` readers: each gets every item, and the next is pulled when all that have
 * not cancelled ask for it. The slowest sets the pace, and nothing is kept for it.
 */
export function multicast(source: PullSource, count: number): PullSource[] {
  const readers = new Set<PullSource>();
  const waiting = new Map<PullSource, Waiting>();

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
      shared: true,
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
