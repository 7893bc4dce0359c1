import { expect, test } from "vitest";
import type { Client } from "../client.ts";

import { createNetwork } from "../testing/network.ts";
import { createVirtualClock, type VirtualClock } from "../testing/virtual-clock.ts";
import type { Link } from "../transport/transport.ts";
import type { LinkState } from "./link-states.ts";
import { createLinkStatsPoller, type LinkStats } from "./link-stats.ts";

type Stats = Required<Link>["stats"];

function linkThatSays(stats: Stats): Link {
  return { stats } as Link;
}

function desk() {
  const clock = createVirtualClock();
  const told: LinkStats[] = [];
  const measuring = createLinkStatsPoller({ clock, onStats: (_peer, stats) => told.push(stats) });
  return { clock, told, measuring };
}

test("a link is asked only while it works and somebody looks", async () => {
  const { clock, told, measuring } = desk();
  let asked = 0;
  const link = linkThatSays(async () => ({ path: "direct", roundTrip: ++asked }));
  measuring.follow("bob", link);
  await clock.advance(10_000);
  expect(asked).toBe(0);
  measuring.watch("bob", true);
  await clock.advance(4_000);
  expect(asked).toBe(3);
  measuring.watch("bob", false);
  await clock.advance(10_000);
  measuring.watch("bob", true);
  measuring.follow("bob", undefined);
  await clock.advance(10_000);
  expect(asked).toBe(4);
  expect(told.map(({ roundTrip }) => roundTrip)).toEqual([1, 2, 3]);
  expect(clock.waiting).toBe(0);
});

test("what a link says after it was replaced is not told", async () => {
  const { clock, told, measuring } = desk();
  const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<Stats>>>();
  measuring.watch("bob", true);
  measuring.follow(
    "bob",
    linkThatSays(() => promise),
  );
  measuring.follow(
    "bob",
    linkThatSays(async () => ({ path: "turn", roundTrip: 40.2 })),
  );
  resolve({ path: "direct" });
  await clock.advance(1_000);
  expect(told).toEqual([{ path: "turn", roundTrip: 41 }]);
});

test("a link that cannot tell is measured as nothing, and asked again", async () => {
  const { clock, told, measuring } = desk();
  let fails = true;
  measuring.watch("bob", true);
  measuring.follow(
    "bob",
    linkThatSays(async () => {
      if (fails) throw new Error("closed");
      return { path: "direct" };
    }),
  );
  await clock.advance(1_000);
  fails = false;
  await clock.advance(1_000);
  expect(told).toEqual([{}, { path: "direct" }]);
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

test("a link's state says how its bytes travel and how long they take, once somebody subscribes", async () => {
  const { clock, ann, bob } = await annAndBob();
  const link = ann.link(bob);
  expect(link.peek()).toEqual({ status: "open" });
  const states: LinkState[] = [];
  const undo = link.subscribe((state) => states.push(state));
  await clock.advance(10_000);
  undo();
  expect(states).toEqual([{ status: "open" }, { status: "open", path: "memory", roundTrip: 40 }]);
  expect(link.peek()).toBe(states.at(-1));
  expect(Object.isFrozen(link.peek())).toBe(true);
});

test("nothing is told of the path when the link is not open", async () => {
  const { clock, ann, bob } = await annAndBob();
  const states: LinkState[] = [];
  ann.link(bob).subscribe((state) => states.push(state));
  await clock.advance(60_000);
  expect(states.at(-1)).toEqual({ status: "idle" });
});

test("who looks away when a link has told is not waited for", async () => {
  const clock = createVirtualClock();
  const measuring = createLinkStatsPoller({ clock, onStats: (peer) => measuring.watch(peer, false) });
  measuring.follow(
    "bob",
    linkThatSays(async () => ({})),
  );
  measuring.watch("bob", true);
  await clock.advance(0);
  expect(clock.waiting).toBe(0);
});
