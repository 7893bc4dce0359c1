import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { BonevalueError } from "../errors.ts";
import { defaultLimits } from "../limits.ts";
import { alreadyLoaded } from "../testing/already-loaded.ts";
import { createVirtualClock, type VirtualClock } from "../testing/virtual-clock.ts";
import { createMemoryNetwork } from "../transport/memory.ts";
import type { Transport } from "../transport/transport.ts";
import { createConnection, type Service } from "./connection.ts";
import { createPool, type Pool } from "./pool.ts";

const links = 10_000;

// A leak grows with each portion; compiled code and caches of the engine do not.
const portions = 4;

const over = new BonevalueError("disconnected", "The test is over.");

const collectGarbage = (() => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

/** The least of a few measurements: the engine compiles code and frees memory in between. */
async function heapUsed(): Promise<number> {
  const measurements: number[] = [];
  for (let count = 0; count < 5; count++) {
    await setImmediate();
    collectGarbage();
    measurements.push(process.memoryUsage().heapUsed);
  }
  return Math.min(...measurements);
}

/** Creates pools that signal to each other by peer id. */
function createPools(clock: VirtualClock, transport: Transport) {
  const pools = new Map<string, Pool<Service>>();
  function create(id: string): Pool<Service> {
    const pool = createPool<Service>({
      transport,
      clock,
      connectionPart: alreadyLoaded({}),
      maxLinks: 64,
      idleTimeout: 1_000,
      self: () => id,
      send: (kind, to, signal) => void clock.after(1, () => pools.get(to)?.receive(kind, id, signal)),
      iceServers: () => [],
      openRelay: () => undefined,
      isKnown: () => true,
      identify: () => ({ verified: true }),
      connect: (options) =>
        createConnection<Service>({
          ...options,
          hello: { peer: id, message: 65_536, value: 1, calls: 1, streams: 1, window: 1, assembly: 1 },
          limits: defaultLimits,
          serve: () => ({ isIdle: true, receive: () => {}, end: () => {} }),
        }),
      onInterrupted: () => {},
      onClosed: () => {},
    });
    pool.setOnline(true);
    pools.set(id, pool);
    return pool;
  }
  function leave(id: string): void {
    pools.get(id)?.close(over);
    pools.delete(id);
  }
  return { create, leave };
}

test("thousands of links leave nothing behind, however they end", async () => {
  const clock = createVirtualClock();
  const network = createMemoryNetwork({ clock, latency: 1 });
  const { create, leave } = createPools(clock, network.transport);
  const hub = create("hub");
  const ends = [
    (_peer: string) => clock.advance(2_000),
    (peer: string) => hub.drop(peer, over),
    (peer: string) => network.drop(peer),
    leave,
  ];
  let opened = 0;

  async function visit(peer: string, end: (peer: string) => unknown): Promise<void> {
    create(peer);
    hub.whenOpen(peer, { begin: () => opened++, fail: () => {} });
    await clock.advance(100);
    expect(hub.connectionTo(peer)).toBeDefined();
    await end(peer);
    await clock.advance(100);
    expect(hub.connectionTo(peer)).toBeUndefined();
    hub.drop(peer, over);
    leave(peer);
  }

  async function heapAfter(visits: number): Promise<number> {
    for (let visitor = 0; visitor < visits; visitor++) {
      await visit(`${opened} of ${visits}`, ends[visitor % ends.length]!);
    }
    await clock.advance(60_000);
    return heapUsed();
  }

  const heaps: number[] = [];
  for (let portion = 0; portion <= portions; portion++) heaps.push(await heapAfter(links / portions));
  const growths = heaps.slice(1).map((heap, before) => heap - heaps[before]!);
  expect(opened).toBe(links + links / portions);
  expect([clock.waiting, network.size]).toEqual([0, 0]);
  // The second lowest, since the engine may free much in one portion. A hundred bytes kept per link would exceed it.
  expect(growths.toSorted((a, b) => a - b)[1]).toBeLessThan((100 * links) / portions);
}, 120_000);
