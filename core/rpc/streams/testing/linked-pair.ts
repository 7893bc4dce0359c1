import { setTimeout as realTime } from "node:timers/promises";
import { expect } from "vitest";
import type { Clock } from "../../../clock.ts";
import { createVirtualClock, type VirtualClock } from "../../../testing/virtual-clock.ts";
import { createLinkedEnds, type LinkedEnds, type LinkedEndsOptions } from "./linked-ends.ts";

/** Two ends, and helpers for tests about streams. */
export interface LinkedPair extends LinkedEnds {
  readonly clock: VirtualClock;
  source(options?: SourceOptions): Source;
  /** Advances the clock until `promise` is settled. */
  until<T>(promise: Promise<T>): Promise<T>;
}

/** Creates two ends with a virtual clock. */
export function createLinkedPair(options: Partial<LinkedEndsOptions> = {}): LinkedPair {
  const clock = createVirtualClock();
  async function until<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    for (let steps = 0; !settled; steps++) {
      await clock.advance(1);
      // A file is read in real time, however fast the clock advances.
      if (steps > 1_000) await realTime(1);
    }
    return promise;
  }
  return {
    ...createLinkedEnds({ clock, ...options }),
    clock,
    until,
    source: (given = {}) => createSource(clock, given),
  };
}

/** The items of a source. */
export interface SourceOptions {
  /** The number of items. Default: endless, one per ms. */
  to?: number;
  /** The size of each item. Default: the items are numbers. */
  bytes?: number;
  /** The error that it throws after the last item. */
  fail?: unknown;
}

/** A producer that records what happens to it. */
export interface Source {
  readonly pulled: number;
  readonly cleanedUp: boolean;
  items(): AsyncGenerator<any, void, void>;
}

function createSource(clock: Clock, { to = Number.POSITIVE_INFINITY, bytes, fail }: SourceOptions): Source {
  const source = { pulled: 0, cleanedUp: false, items };
  async function* items(): AsyncGenerator<any, void, void> {
    try {
      while (source.pulled < to) {
        source.pulled++;
        if (to === Number.POSITIVE_INFINITY && !bytes)
          await new Promise<void>((resolve) => void clock.after(1, resolve));
        yield bytes ? new Uint8Array(bytes) : source.pulled;
      }
      if (fail) throw fail;
    } finally {
      source.cleanedUp = true;
    }
  }
  return source;
}

/** Reads all items. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const item of items) read.push(item);
  return read;
}

/** Matches an error with this code. */
export function code(code: string): unknown {
  return expect.objectContaining({ name: "BonevalueError", code });
}
