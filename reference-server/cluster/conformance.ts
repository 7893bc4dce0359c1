import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../tools/eventually.ts";
import type { BusMessage, Cluster, ClusterNode, Login } from "./cluster.ts";

/** An empty cluster. */
export interface ClusterUnderTest {
  readonly cluster: Cluster;
  dispose(): Promise<void>;
}

/** A node, and what it received. */
export interface TestNode extends ClusterNode {
  readonly received: BusMessage[];
  readonly stale: () => number;
  /** Resolves to the first message of a kind, once it has been received. */
  waitFor<Kind extends BusMessage["kind"]>(kind: Kind): Promise<Extract<BusMessage, { kind: Kind }>>;
}

/** Joins a cluster. */
export async function joined(cluster: Cluster): Promise<TestNode> {
  const received: BusMessage[] = [];
  let stale = 0;
  const node = await cluster.join({ message: (message) => received.push(message), stale: () => stale++ });
  return {
    ...node,
    received,
    stale: () => stale,
    waitFor: (kind) =>
      until(() => received.find((message) => message.kind === kind), {
        interval: 5,
      }) as Promise<any>,
  };
}

/** Returns group, peer and node of each login, in order, for comparison. */
export function whereabouts(logins: readonly Login[]): string[] {
  return logins.map(({ group, id, node }) => `${group} ${id} ${node}`).toSorted();
}

/** The conformance suite of all clusters. */
export function describeCluster(name: string, open: () => Promise<ClusterUnderTest>): void {
  describe(`the ${name} cluster`, () => {
    let under: ClusterUnderTest;
    let one: TestNode;
    let two: TestNode;

    beforeEach(async () => {
      under = await open();
      one = await joined(under.cluster);
      two = await joined(under.cluster);
    });
    afterEach(async () => {
      await Promise.all([one.leave(), two.leave()]);
      await under.dispose();
    });

    test("every node sees online peers and their nodes", async () => {
      await one.claim("ann", "p1");
      await two.claim("ann", "p2");
      await two.claim("bob", "p3");
      await two.claim("eve", "p4");
      const { logins, complete } = await one.online(["ann", "bob", "nobody"]);
      expect(complete).toBe(true);
      expect(whereabouts(logins)).toEqual([`ann p1 ${one.id}`, `ann p2 ${two.id}`, `bob p3 ${two.id}`].toSorted());
    });

    test("names such as __proto__ are valid groups", async () => {
      await one.claim("__proto__", "p1");
      await one.claim("a {b} c", "p2");
      expect(whereabouts((await two.online(["__proto__", "a {b} c"])).logins)).toEqual(
        [`__proto__ p1 ${one.id}`, `a {b} c p2 ${one.id}`].toSorted(),
      );
    });

    test("every node sees the profile of a peer, and the newest after a change, unless it has another owner", async () => {
      const said = JSON.stringify({ "a b": "{}\n\u{1F600} 7" });
      const { login } = await one.claim("room", "p1", "Ann 7", said);
      await one.claim("room", "p2", undefined, "{}");
      const seen = async () => (await two.online(["room"])).logins.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      expect(login.profile).toBe(said);
      expect(await seen()).toMatchObject([
        { id: "p1", name: "Ann 7", profile: said },
        { id: "p2", profile: "{}" },
      ]);
      await one.update({ ...login, profile: '{"n":1}', revision: 1 });
      expect((await seen())[0]).toMatchObject({ id: "p1", name: "Ann 7", profile: '{"n":1}', revision: 1 });
      const taken = await two.claim("room", "p1", "Ann 7", '{"n":2}');
      await one.update({ ...login, profile: '{"n":3}', revision: 2 });
      expect((await seen())[0]).toMatchObject({ ...taken.login, profile: '{"n":2}' });
      expect(await two.release(taken.login)).toBe(true);
    });

    test("every node sees the name of a peer, whatever it contains", async () => {
      const { login } = await one.claim("room", "p1", "Ann 7 of {nine} \u{1F600}");
      await two.claim("room", "p2");
      const byId = async () => new Map((await two.online(["room"])).logins.map(({ id, name }) => [id, name]));
      expect(login.name).toBe("Ann 7 of {nine} \u{1F600}");
      expect(await byId()).toEqual(
        new Map([
          ["p1", login.name],
          ["p2", undefined],
        ]),
      );
      expect((await two.claim("room", "p1", "7 8")).login.epoch).toBeGreaterThan(login.epoch);
      expect((await byId()).get("p1")).toBe("7 8");
      expect(await one.release(login)).toBe(false);
    });

    test("a claim takes over from another node, which is notified", async () => {
      const first = await one.claim("ann", "p");
      expect(first.resumed).toBe(false);
      const second = await two.claim("ann", "p");
      expect(second.resumed).toBe(true);
      expect(second.login.epoch).toBeGreaterThan(first.login.epoch);
      expect(await one.waitFor("superseded")).toEqual({ kind: "superseded", id: "p", epoch: first.login.epoch });
      expect(whereabouts((await one.online(["ann"])).logins)).toEqual([`ann p ${two.id}`]);
    });

    test("a claim takes over on the same node, which is notified", async () => {
      const first = await one.claim("ann", "p");
      const second = await one.claim("ann", "p");
      expect(second.resumed).toBe(true);
      expect(await one.waitFor("superseded")).toEqual({ kind: "superseded", id: "p", epoch: first.login.epoch });
    });

    test("of many concurrent claims one wins, and every other is notified", async () => {
      const claims = await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 ? one : two).claim("ann", "p")));
      const { logins } = await one.online(["ann"]);
      expect(logins).toHaveLength(1);
      const losers = claims.map(({ login }) => login.epoch).filter((epoch) => epoch !== logins[0]?.epoch);
      await until(() => one.received.length + two.received.length === 19);
      const told = [...one.received, ...two.received].map((message) => message.kind === "superseded" && message.epoch);
      expect(told.toSorted()).toEqual(losers.toSorted());
    });

    test("only the owner releases a peer", async () => {
      const { login: first } = await one.claim("ann", "p");
      const { login: second } = await two.claim("ann", "p");
      expect(await one.release(first)).toBe(false);
      expect((await one.online(["ann"])).logins).toHaveLength(1);
      expect(await two.release(second)).toBe(true);
      expect(await two.release(second)).toBe(false);
      expect((await one.online(["ann"])).logins).toEqual([]);
    });

    test("a claim after a release is new", async () => {
      const { login } = await one.claim("ann", "p");
      await one.release(login);
      expect((await two.claim("ann", "p")).resumed).toBe(false);
    });

    test("messages reach their node, in order", async () => {
      const { login } = await one.claim("ann", "p");
      const signals = Array.from({ length: 50 }, (_, at) => ({ n: at, text: "é\u0000" }));
      for (const signal of signals)
        one.send(two.id, { kind: "relay", type: "peerRequest", to: "q", from: login, signal });
      await until(() => two.received.length === 50);
      expect(two.received.map((message) => message.kind === "relay" && message.signal)).toEqual(signals);
      expect(one.received).toEqual([]);
    });

    test("a broadcast reaches every other node", async () => {
      const three = await joined(under.cluster);
      one.broadcast({ kind: "revoke", user: "ann", keep: "p" });
      for (const node of [two, three])
        expect(await node.waitFor("revoke")).toEqual({ kind: "revoke", user: "ann", keep: "p" });
      one.send(one.id, { kind: "revoke", user: "last", keep: undefined });
      await one.waitFor("revoke");
      expect(one.received).toHaveLength(1);
      await three.leave();
    });

    test("uses are counted on all nodes together, until their window ends", async () => {
      const period = 60_000;
      expect(await Promise.all([one.consume("k", 2, period), two.consume("k", 2, period)])).toEqual([0, 0]);
      const wait = await one.consume("k", 2, period);
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(period);
      expect(await two.consume("another", 2, period)).toBe(0);
      await two.refund("k");
      expect(await one.consume("k", 2, period)).toBe(0);
      expect(await one.consume("k", 2, period)).toBeGreaterThan(0);
    });
  });
}
