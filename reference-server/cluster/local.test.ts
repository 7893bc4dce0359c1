import { expect, test } from "vitest";
import { virtualClock } from "../testing/virtual-clock.ts";
import { describeCluster, joined } from "./conformance.ts";
import { createCounters } from "./counters.ts";
import { createLocalCluster } from "./local.ts";

describeCluster("local", async () => ({ cluster: createLocalCluster(), dispose: async () => {} }));

test("a window ends on time even if the clock is set back", async () => {
  let now = 3_600_000;
  const counters = createCounters({ now: () => now, after: () => () => {} });
  expect(await counters.consume("a", 1, 1_000)).toBe(0);
  expect(await counters.consume("a", 1, 1_000)).toBe(1_000);
  now = 0;
  expect(await counters.consume("a", 1, 1_000)).toBe(0);
});

test("the peers of a node that leaves are announced as lost", async () => {
  const cluster = createLocalCluster();
  const [one, two] = [await joined(cluster), await joined(cluster)];
  const { login } = await one.claim("ann", "p");
  await one.leave();
  expect(await two.waitFor("leave")).toEqual({ kind: "leave", logins: [login], lost: true });
  expect((await two.online(["ann"])).logins).toEqual([]);
});

test("when a window has ended, the next use starts a new one", async () => {
  const clock = virtualClock();
  const counters = createCounters(clock);
  expect([await counters.consume("k", 1, 100), await counters.consume("k", 1, 100)]).toEqual([0, 100]);
  clock.advance(99);
  expect(await counters.consume("k", 1, 100)).toBe(1);
  clock.advance(1);
  expect([await counters.consume("k", 1, 100), await counters.consume("k", 1, 100)]).toEqual([0, 100]);
});
