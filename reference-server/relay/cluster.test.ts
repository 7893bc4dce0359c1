import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { createRedisCluster } from "../cluster/redis.ts";
import { defaultLog } from "../log.ts";
import type { ServerOptions } from "../server.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import { freePort } from "../testing/process.ts";
import { startRedis, type TestRedis } from "../testing/redis.ts";
import { startTestServer } from "../testing/test-server.ts";
import { joinRelay, openRelay } from "./testing/relay-client.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** Starts two nodes that share everything, with Ann on the first and Bob on the second. */
async function start(relay: ServerOptions["relay"] = true) {
  const store = await openSqliteStore(":memory:");
  onTestFinished(() => store.close());
  const node = async (accounts: readonly string[]) => {
    const port = await freePort();
    const cluster = createRedisCluster(redis.url, defaultLog("silent"));
    return startTestServer(accounts, { port, store, cluster, relay, nodeUrl: `http://127.0.0.1:${port}` });
  };
  const one = await node(["ann", "bob"]);
  const two = await node([]);
  const ann = await one.signIn("ann");
  const bob = await two.signIn("bob");
  await ann.next("peerConnect");
  return { one, two, ann, bob };
}

/** Opens a relay from Ann to Bob, and both of its sockets. */
async function connect({ ann, bob, two }: Awaited<ReturnType<typeof start>>) {
  const { caller, callee } = await openRelay(ann, bob);
  const a = await joinRelay(two.server.url, caller);
  const b = await joinRelay(two.server.url, callee);
  a.send(Buffer.from("hello"));
  expect(await b.texts(1)).toEqual(["hello"]);
  return [a, b] as const;
}

test("a relay between peers of two nodes is on the node of its caller", async () => {
  const { one, two, ann, bob } = await start();
  for (const [node, caller, callee] of [
    [one, ann, bob],
    [two, bob, ann],
  ] as const) {
    const opened = await openRelay(caller, callee);
    expect(opened.caller.url).toBe(`${node.server.url}/relay`);
    expect(opened.callee).toMatchObject({ from: caller.id, url: opened.caller.url });
    const a = await joinRelay(node.server.url, opened.caller);
    const b = await joinRelay(node.server.url, opened.callee);
    a.send(Buffer.from("hello"));
    b.send(Buffer.from("back"));
    expect(await b.texts(1)).toEqual(["hello"]);
    expect(await a.texts(1)).toEqual(["back"]);
  }
});

type Started = Awaited<ReturnType<typeof start>>;

test.each<[string, (nodes: Started) => unknown]>([
  ["the callee removes the caller", ({ bob }) => bob.request("removeUser", { name: "Ann" })],
  ["the callee is kicked on its node", ({ two, bob }) => two.server.kick(bob.id)],
  ["the callee is kicked on the other node", ({ one, bob }) => one.server.kick(bob.id)],
  ["the password of the callee is set on its node", ({ two }) => two.server.accounts.setPassword("bob", "new horse")],
  [
    "the callee is kicked after the caller has moved to another node",
    async ({ two, ann, bob }) => {
      await two.signIn("ann", { session: ann.session });
      expect(await ann.closed).toBe(4002);
      await two.server.kick(bob.id);
    },
  ],
])("when %s, a relay between two nodes ends within a second", async (_, end) => {
  const nodes = await start();
  const [a, b] = await connect(nodes);
  await end(nodes);
  // The nodes look for changes of the store every 500 ms.
  for (const { clock } of [nodes.two, nodes.one]) clock.advance(500);
  expect([(await a.closed).code, (await b.closed).code]).toEqual([4001, 4001]);
});

test("a relay goes on when its caller moves to another node", async () => {
  const nodes = await start();
  const [a, b] = await connect(nodes);
  await nodes.two.signIn("ann", { session: nodes.ann.session });
  expect(await nodes.ann.closed).toBe(4002);
  a.send(Buffer.from("still"));
  expect(await b.texts(2)).toEqual(["hello", "still"]);
});

test("a node of a cluster without an address of its own relays no links, and says so", async () => {
  const store = await openSqliteStore(":memory:");
  onTestFinished(() => store.close());
  const cluster = createRedisCluster(redis.url, defaultLog("silent"));
  const publicUrl = "https://bv.example.org";
  const { signIn, logged } = await startTestServer(["ann"], { store, cluster, relay: true, publicUrl });
  const ann = await signIn("ann");
  expect(ann.received[0]!.data.features).not.toContain("relay");
  expect(logged.filter(([level]) => level === "warn").map(([, message]) => message)).toEqual([
    expect.stringMatching(/relays no links: set `nodeUrl` \(--node-url\)/),
  ]);
});
