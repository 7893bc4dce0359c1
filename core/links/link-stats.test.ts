import { expect, test } from "vitest";
import type { Client } from "../client.ts";

import { createNetwork } from "../testing/network.ts";
import { createVirtualClock, type VirtualClock } from "../testing/virtual-clock.ts";
import type { Link } from "../transport/transport.ts";
import type { LinkState } from "./link-states.ts";
import { createLinkStatsPoller, type LinkStats } from "./link-stats.ts";

type Stats = Required<Link>["stats"];

function createLink(stats: Stats): Link {
  return { stats } as Link;
}

function createTestPoller() {
  const clock = createVirtualClock();
  const reported: LinkStats[] = [];
  const poller = createLinkStatsPoller({ clock, onStats: (_peer, stats) => reported.push(stats) });
  return { clock, reported, poller };
}

test("a link is measured only while it works and has a subscriber", async () => {
  const { clock, reported, poller } = createTestPoller();
  let asked = 0;
  const link = createLink(async () => ({ path: "direct", roundTrip: ++asked }));
  poller.follow("bob", link);
  await clock.advance(10_000);
  expect(asked).toBe(0);
  poller.watch("bob", true);
  await clock.advance(4_000);
  expect(asked).toBe(3);
  poller.watch("bob", false);
  await clock.advance(10_000);
  poller.watch("bob", true);
  poller.follow("bob", undefined);
  await clock.advance(10_000);
  expect(asked).toBe(4);
  expect(reported.map(({ roundTrip }) => roundTrip)).toEqual([1, 2, 3]);
  expect(clock.waiting).toBe(0);
});

test("a measurement of a link that was replaced is dropped", async () => {
  const { clock, reported, poller } = createTestPoller();
  const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<Stats>>>();
  poller.watch("bob", true);
  poller.follow(
    "bob",
    createLink(() => promise),
  );
  poller.follow(
    "bob",
    createLink(async () => ({ path: "turn", roundTrip: 40.2 })),
  );
  resolve({ path: "direct" });
  await clock.advance(1_000);
  expect(reported).toEqual([{ path: "turn", roundTrip: 41 }]);
});

test("a link that fails to measure reports nothing, and is measured again", async () => {
  const { clock, reported, poller } = createTestPoller();
  let fails = true;
  poller.watch("bob", true);
  poller.follow(
    "bob",
    createLink(async () => {
      if (fails) throw new Error("closed");
      return { path: "direct" };
    }),
  );
  await clock.advance(1_000);
  fails = false;
  await clock.advance(1_000);
  expect(reported).toEqual([{}, { path: "direct" }]);
});

/** Two clients on a network of 20 ms each way, Ann's call to Bob answered. */
async function annAndBob(): Promise<{ clock: VirtualClock; ann: Client; bob: string }> {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latency: 20 });
  const [ann, bob] = ["ann", "bob"].map((name) => network.client(name)) as [Client, Client];
  bob.module("Any", () => "bob");
  ann.connect("test", "ann", "");
  bob.connect("test", "bob", "");
  await clock.advance(100);
  ann.get("bob").call("Any");
  await clock.advance(1_000);
  return { clock, ann, bob: bob.getId() as string };
}

test("a subscriber learns the path and the round-trip time of a link", async () => {
  const { clock, ann, bob } = await annAndBob();
  const link = ann.link(bob);
  expect(link.peek()).toEqual({ status: "open", verified: true });
  const states: LinkState[] = [];
  const undo = link.subscribe((state) => states.push(state));
  await clock.advance(10_000);
  undo();
  expect(states).toEqual([
    { status: "open", verified: true },
    { status: "open", verified: true, path: "memory", roundTrip: 40 },
  ]);
  expect(link.peek()).toBe(states.at(-1));
  expect(Object.isFrozen(link.peek())).toBe(true);
});

test("a closed link has no path", async () => {
  const { clock, ann, bob } = await annAndBob();
  const states: LinkState[] = [];
  ann.link(bob).subscribe((state) => states.push(state));
  await clock.advance(60_000);
  expect(states.at(-1)).toEqual({ status: "idle" });
});

test("unsubscribing in the callback ends the measurements", async () => {
  const clock = createVirtualClock();
  const poller = createLinkStatsPoller({ clock, onStats: (peer) => poller.watch(peer, false) });
  poller.follow(
    "bob",
    createLink(async () => ({})),
  );
  poller.watch("bob", true);
  await clock.advance(0);
  expect(clock.waiting).toBe(0);
});
