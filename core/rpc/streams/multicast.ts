import type { BonevalueError } from "../../errors.ts";
import type { Pull } from "./pull.ts";

interface Waiting {
  resolve(result: IteratorResult<unknown>): void;
  reject(error: unknown): void;
}

/**
 * Shares what can be pulled once among `count` readers: each gets every item, and the next is pulled when all that have
 * not cancelled ask for it. The slowest sets the pace, and nothing is kept for it.
 */
export function multicast(source: Pull, count: number): Pull[] {
  const readers = new Set<Pull>();
  const waiting = new Map<Pull, Waiting>();

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

  function cancel(reader: Pull, reason: BonevalueError): void {
    if (!readers.delete(reader)) return;
    waiting.delete(reader);
    if (readers.size === 0) source.cancel(reason);
    else if (waiting.size > 0) pullWhenAllWait();
  }

  for (let index = 0; index < count; index++) {
    const reader: Pull = {
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
