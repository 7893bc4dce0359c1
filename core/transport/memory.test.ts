import { expect, test } from "vitest";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { createMemoryNetwork, type MemoryNetworkOptions } from "./memory.ts";
import { transportConformance } from "./testing/conformance.ts";
import type { Link, SignalExchange, SignalListener } from "./transport.ts";

const network = createMemoryNetwork();
transportConformance({ name: "memory", transport: network.transport, held: () => network.size });

/** A link from "ann" to "bob" on a network of its own, with what each side was told. */
async function linkOn(options: MemoryNetworkOptions = {}) {
  const clock = createVirtualClock();
  const network = createMemoryNetwork({ clock, ...options });
  const [toBob, toAnn] = [createExchange(), createExchange()];
  const ann = network.transport.open("bob", "caller", { ...toBob.outgoing, ...toAnn.incoming });
  const bob = network.transport.open("ann", "callee", { ...toAnn.outgoing, ...toBob.incoming });
  await clock.advance(1_000);
  return { clock, network, ann: { link: ann, ...listenTo(ann) }, bob: { link: bob, ...listenTo(bob) } };
}

function createExchange() {
  let listener: SignalListener | undefined;
  const incoming: Pick<SignalExchange, "listen" | "iceServers"> = {
    listen(newListener) {
      listener = newListener;
    },
    iceServers: () => [],
  };
  const outgoing: Omit<SignalExchange, "listen" | "iceServers"> = {
    describe: (description) => queueMicrotask(() => listener?.description(description)),
    candidate: (candidate) => queueMicrotask(() => listener?.candidate(candidate)),
    restart: () => {},
    settled: () => {},
  };
  return { outgoing, incoming };
}

function listenTo(link: Link) {
  const log: string[] = [];
  link.listen({
    message: (channel, [first]) => log.push(`${channel} ${first}`),
    drain: () => log.push("drain"),
    interrupted: () => log.push("interrupted"),
    restored: () => log.push("restored"),
  });
  link.closed.then((reason) => log.push(`closed: ${reason?.code}`));
  return { log };
}

test("a message takes the latency of the path", async () => {
  const { clock, ann, bob } = await linkOn({ latency: 40 });
  ann.link.send("control", Uint8Array.of(1));
  await clock.advance(39);
  expect(bob.log).toEqual([]);
  await clock.advance(1);
  expect(bob.log).toEqual(["control 1"]);
  expect(await ann.link.stats?.()).toEqual({ path: "memory", roundTrip: 80 });
});

test("jitter reorders lossy messages, but not control or bulk", async () => {
  let draws = 0;
  const { clock, ann, bob } = await linkOn({ latency: 10, jitter: 50, random: () => 1 / (1 + draws++) });
  for (const first of [1, 2, 3])
    for (const channel of ["control", "lossy"] as const) ann.link.send(channel, Uint8Array.of(first));
  await clock.advance(200);
  expect(bob.log.filter((line) => line.startsWith("control"))).toEqual(["control 1", "control 2", "control 3"]);
  expect(bob.log.filter((line) => line.startsWith("lossy"))).toEqual(["lossy 3", "lossy 2", "lossy 1"]);
});

test("a message leaves when the bandwidth allows, and waiting bytes are counted", async () => {
  const { clock, ann, bob } = await linkOn({ bandwidth: 1_000 });
  ann.link.lowMark = 500;
  for (const first of [1, 2, 3]) ann.link.send("bulk", new Uint8Array(400).fill(first));
  expect(ann.link.buffered).toBe(1_200);
  await clock.advance(400);
  expect([ann.link.buffered, bob.log, ann.log]).toEqual([800, ["bulk 1"], []]);
  await clock.advance(400);
  expect([ann.link.buffered, ann.log]).toEqual([400, ["drain"]]);
});

test("loss drops its share of lossy messages only", async () => {
  const draws = [0.1, 0.9, 0.5];
  let next = 0;
  const { clock, ann, bob } = await linkOn({ loss: 0.3, random: () => draws[next++ % draws.length]! });
  for (let index = 0; index < 30; index++) ann.link.send("control", Uint8Array.of(0));
  await clock.advance(1);
  next = 0;
  // Each that arrives draws once more, for its delay.
  for (let index = 0; index < 3; index++) ann.link.send("lossy", Uint8Array.of(index));
  await clock.advance(100);
  expect(bob.log.filter((line) => line === "control 0")).toHaveLength(30);
  expect(bob.log.filter((line) => line.startsWith("lossy"))).toEqual(["lossy 1"]);
});

test("a partition is reported, and messages sent during it arrive in order when it heals", async () => {
  const { clock, network, ann, bob } = await linkOn({ latency: 10 });
  ann.link.send("control", Uint8Array.of(1));
  await clock.advance(5);
  network.partition("ann", "bob");
  for (const first of [2, 3]) ann.link.send("control", Uint8Array.of(first));
  ann.link.send("lossy", Uint8Array.of(9));
  await clock.advance(6_000);
  expect([ann.log, bob.log]).toEqual([["drain", "interrupted"], ["interrupted"]]);
  network.heal("ann", "bob");
  await clock.advance(100);
  expect(ann.log).toEqual(["drain", "interrupted", "restored", "drain"]);
  expect(bob.log).toEqual(["interrupted", "restored", "control 1", "control 2", "control 3"]);
});

test("a partition of 15 s ends the link on both sides", async () => {
  const { clock, network, ann, bob } = await linkOn();
  network.partition("ann");
  await clock.advance(15_000);
  expect([ann.log.at(-1), bob.log.at(-1)]).toEqual(["closed: disconnected", "closed: disconnected"]);
  expect([network.size, clock.waiting]).toEqual([0, 0]);
});

test("a side that closes during a partition is lost after 15 s, even if it heals", async () => {
  const { clock, network, ann, bob } = await linkOn();
  network.partition("ann", "bob");
  ann.link.close();
  await clock.advance(1_000);
  network.heal();
  await clock.advance(13_000);
  expect(bob.log).toEqual(["interrupted"]);
  await clock.advance(1_000);
  expect(bob.log.at(-1)).toBe("closed: disconnected");
  expect([network.size, clock.waiting]).toEqual([0, 0]);
});

test("a partition of other peers has no effect", async () => {
  const { clock, network, ann, bob } = await linkOn();
  network.partition("ann", "carl");
  network.partition("dora");
  ann.link.send("bulk", Uint8Array.of(1));
  await clock.advance(20_000);
  expect(bob.log).toEqual(["bulk 1"]);
});

test("drop ends the link on both sides at once", async () => {
  const { clock, network, ann, bob } = await linkOn({ latency: 100 });
  network.drop("bob");
  await clock.advance(0);
  expect([ann.log, bob.log]).toEqual([["closed: disconnected"], ["closed: disconnected"]]);
});

test("messages in transit arrive before the link closes", async () => {
  const { clock, ann, bob } = await linkOn({ latency: 10, jitter: 30, random: () => 0.5 });
  for (const first of [1, 2]) ann.link.send("bulk", Uint8Array.of(first));
  await clock.advance(1);
  ann.link.close();
  await clock.advance(100);
  expect(bob.log).toEqual(["bulk 1", "bulk 2", "closed: disconnected"]);
});
