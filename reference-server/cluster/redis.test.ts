import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { until } from "../../tools/eventually.ts";
import { systemClock } from "../clock.ts";
import { defaultLog, type Log } from "../log.ts";
import { type CuttableProxy, startCuttableProxy } from "../testing/cuttable-proxy.ts";
import { startRedis, type TestRedis } from "../testing/redis.ts";
import { virtualClock } from "../testing/virtual-clock.ts";
import type { Cluster, Online } from "./cluster.ts";
import { describeCluster, joined, type TestNode, whereabouts } from "./conformance.ts";
import { openCluster } from "./open.ts";
import { createRedisCluster } from "./redis.ts";

const log = defaultLog("silent");
// A node that is busy for seconds keeps its lease.
const quick = { lease: 6_000, recoveryCheck: 300, rewrite: 60_000, pollWhileAlone: 60_000, commandTimeout: 5_000 };
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(() => flush());

describeCluster("Redis", async () => ({ cluster: createRedisCluster(redis.url, log), dispose: async () => {} }));

test("when the lease of a dead node expires, one other node announces its peers as lost", async () => {
  const cut = await cutOff();
  const dying = await member(createRedisCluster(cut.url, log, quick));
  const [one, two] = [await member(cluster()), await member(cluster())];
  const { login } = await dying.claim("ann", "p");
  await one.claim("ann", "alive");
  cut.cut();
  await redis.endLease(dying.id);
  for (const node of [one, two])
    expect(await node.waitFor("leave")).toEqual({ kind: "leave", logins: [login], lost: true });
  expect(whereabouts((await one.online(["ann"])).logins)).toEqual([`ann alive ${one.id}`]);
  expect([...one.received, ...two.received].filter(({ kind }) => kind === "leave")).toHaveLength(2);
});

test("a peer that has moved from a dead node to another is not announced", async () => {
  const cut = await cutOff();
  const dying = await member(createRedisCluster(cut.url, log, quick));
  const one = await member(cluster());
  await dying.claim("ann", "moved");
  await dying.claim("ann", "lost");
  cut.cut();
  expect((await one.claim("ann", "moved")).resumed).toBe(true);
  await redis.endLease(dying.id);
  expect((await one.waitFor("leave")).logins.map(({ id }) => id)).toEqual(["lost"]);
  expect(whereabouts((await one.online(["ann"])).logins)).toEqual([`ann moved ${one.id}`]);
});

test("a node without Redis works alone and reports incomplete results", async () => {
  const cut = await cutOff();
  const lonely = await member(createRedisCluster(cut.url, log, quick));
  const other = await member(cluster());
  await other.claim("ann", "far");
  cut.cut();
  const { login } = await lonely.claim("ann", "near");
  expect(await lonely.online(["ann"])).toEqual({ logins: [login], complete: false });
  expect(await lonely.consume("k", 1, 1_000)).toBe(0);
  expect(await lonely.consume("k", 1, 1_000)).toBeGreaterThan(0);
  const again = await lonely.claim("ann", "near");
  expect(again.resumed).toBe(true);
  expect(await lonely.waitFor("superseded")).toEqual({ kind: "superseded", id: "near", epoch: login.epoch });
  expect(await lonely.release(again.login)).toBe(true);
});

test("after Redis restarts empty, its nodes write their peers and read again", async () => {
  const own = await startRedis();
  onTestFinished(own.stop);
  const cluster = createRedisCluster(own.url, log, quick);
  const [one, two] = [await member(cluster), await member(cluster)];
  await one.claim("ann", "p1");
  const { login } = await two.claim("bob", "p2");
  await own.kill();
  await two.release(login);
  await two.claim("bob", "p3");
  await own.start();
  for (const node of [one, two]) await until(() => node.stale() > 0);
  expect(whereabouts((await one.online(["ann", "bob"])).logins)).toEqual(
    [`ann p1 ${one.id}`, `bob p3 ${two.id}`].toSorted(),
  );
  two.broadcast({ kind: "revoke", user: "x", keep: undefined });
  await one.waitFor("revoke");
});

test("an empty Redis is not read before a node that has just joined has written its peers again", async () => {
  const own = await startRedis();
  onTestFinished(own.stop);
  const [clock, wire] = [virtualClock(), await startCuttableProxy(own.url)];
  onTestFinished(wire.stop);
  const restored = vi.fn();
  const watching: Log = { ...log, info: restored };
  const one = await member(createRedisCluster(own.url, watching, quick, clock));
  const two = await member(createRedisCluster(wire.url, log, quick));
  const { login } = await two.claim("ann", "p");
  two.broadcast({ kind: "join", login });
  await one.waitFor("join");
  wire.cut();
  await own.kill();
  await own.start();
  await until(() => {
    if (restored.mock.calls.length === 0) clock.advance(100);
    return restored.mock.calls.length > 0;
  });

  /** Lets `one` check twice which nodes are alive, and then read if none is missing. */
  async function recover(): Promise<Online> {
    for (const _ of ["check", "check again", "read"]) {
      clock.advance(quick.recoveryCheck);
      await one.online(["ann"]);
    }
    return one.online(["ann"]);
  }
  expect(await recover()).toEqual({ logins: [], complete: false });
  wire.restore();
  await until(() => own.ownerOf("ann", "p"));
  expect(await recover()).toMatchObject({ logins: [login], complete: true });
});

test("a node lists its own peers before it has written them to an empty Redis", async () => {
  const own = await startRedis();
  onTestFinished(own.stop);
  const found = Promise.withResolvers<Online>();
  const watching: Log = { ...log, info: () => found.resolve(one.online(["ann"])) };
  const one = await member(createRedisCluster(own.url, watching, quick));
  const { login } = await one.claim("ann", "p");
  await own.kill();
  await own.start();
  expect(await found.promise).toEqual({ logins: [login], complete: false });
});

test("while messages from Redis are cut off, missing peers are not treated as gone", async () => {
  const found = Promise.withResolvers<Online>();
  const watching: Log = { ...log, warn: () => found.resolve(one.online(["ann"])) };
  const [one, two] = [await member(createRedisCluster(redis.url, watching, quick)), await member(cluster())];
  await two.claim("ann", "p");
  const admin = await client();
  const allow = (clients: number) => admin.configSet("maxclients", `${clients}`);
  onTestFinished(async () => void (await allow(1_000)));
  // As after a crash from which only one connection has recovered.
  await Promise.all([allow(1), admin.flushAll(), admin.sendCommand(["CLIENT", "KILL", "TYPE", "pubsub"])]);
  expect(await found.promise).toEqual({ logins: [], complete: false });
  await allow(1_000);
  await until(() => one.stale() > 0);
  expect(whereabouts((await one.online(["ann"])).logins)).toEqual([`ann p ${two.id}`]);
});

test("a node does not rewrite peers that another node has taken over or released", async () => {
  const [one, two] = [await member(cluster()), await member(cluster())];
  await one.claim("ann", "p");
  const { login } = await two.claim("ann", "p");
  await one.waitFor("superseded");
  await two.release(login);
  await flush();
  for (const node of [one, two]) await until(() => node.stale() > 0);
  expect(await one.online(["ann"])).toEqual({ logins: [], complete: true });
});

test("a running Redis that loses its data is detected by the lease", async () => {
  const one = await member(cluster());
  await one.claim("ann", "p1");
  await flush();
  await until(() => one.stale() > 0);
  expect((await one.online(["ann"])).logins).toHaveLength(1);
});

test("after an outage a node ends superseded peers and announces the others", async () => {
  const cut = await cutOff();
  const away = await member(createRedisCluster(cut.url, log, quick));
  const one = await member(cluster());
  const { login } = await away.claim("ann", "superseded");
  await away.claim("ann", "kept");
  cut.cut();
  await redis.endLease(away.id);
  expect((await one.waitFor("leave")).logins).toHaveLength(2);
  await one.claim("ann", "superseded");
  cut.restore();
  expect(await away.waitFor("superseded")).toMatchObject({ id: "superseded", epoch: login.epoch });
  expect((await one.waitFor("join")).login).toMatchObject({ id: "kept", node: away.id });
  expect(whereabouts((await one.online(["ann"])).logins)).toEqual(
    [`ann kept ${away.id}`, `ann superseded ${one.id}`].toSorted(),
  );
});

test("a peer that left during an outage of its node is removed afterwards", async () => {
  const cut = await cutOff();
  const [away, one] = [await member(createRedisCluster(cut.url, log, quick)), await member(cluster())];
  const { login } = await away.claim("ann", "p");
  cut.cut();
  await until(async () => !(await away.online(["ann"])).complete);
  expect(await away.release(login)).toBe(true);
  expect((await one.online(["ann"])).logins).toHaveLength(1);
  cut.restore();
  await until(async () => (await one.online(["ann"])).logins.length === 0);
});

test("messages that a node could not publish make the other nodes read again", async () => {
  const cut = await cutOff();
  const [away, one] = [await member(createRedisCluster(cut.url, log, quick)), await member(cluster())];
  cut.cut();
  await until(async () => !(await away.online(["ann"])).complete);
  away.broadcast({ kind: "revoke", user: "ann", keep: undefined });
  await Promise.resolve();
  cut.restore();
  expect(await one.waitFor("stale")).toEqual({ kind: "stale" });
});

test("a peer that moved during an outage stays on its new node, even if clocks differ", async () => {
  const ahead = { ...systemClock, now: () => Date.now() + 60_000 };
  const [first, second] = [await cutOff(), await cutOff()];
  const one = await member(createRedisCluster(first.url, log, quick, ahead));
  let passed = 0;
  const clock = { ...systemClock, now: () => Date.now() + passed };
  const two = await member(createRedisCluster(second.url, log, quick, clock));
  await one.claim("ann", "p");
  second.cut();
  // Longer than a busy machine needs to read the time of Redis.
  passed = 5_000;
  await until(async () => !(await two.online(["ann"])).complete);
  await two.claim("ann", "p");
  second.restore();
  await until(() => [one, two].some(({ received }) => received.some(({ kind }) => kind === "superseded")));
  expect([one, two].map(({ received }) => received.filter(({ kind }) => kind === "superseded").length)).toEqual([1, 0]);
});

test("a node that leaves without peers leaves no keys", async () => {
  const one = await joined(cluster());
  const { login } = await one.claim("ann", "p");
  await one.release(login);
  await one.leave();
  expect(await keys()).toEqual([]);
});

test("invalid messages from other nodes are logged and ignored", async () => {
  const warnings: object[] = [];
  const watching: Log = { ...log, warn: (data) => warnings.push(data) };
  const one = await member(createRedisCluster(redis.url, watching, quick));
  const other = await client();
  for (const text of [
    "{",
    "7",
    '{"from":"x","message":{"kind":"shutdown"}}',
    '{"from":"x","message":{"kind":"revoke"}}',
    '{"from":"x","message":{"kind":"join","login":{"id":"p","group":"g","node":"n","epoch":1,"profile":"{"}}}',
    '{"from":"x","message":{"kind":"join","login":{"id":"p","group":"g","node":"n","epoch":1,"profile":"[]"}}}',
  ])
    await other.sPublish("bonevalue:0:broadcast", text);
  await other.sPublish("bonevalue:0:broadcast", '{"from":"x","message":{"kind":"revoke","user":"ann"}}');
  await one.waitFor("revoke");
  expect(one.received).toHaveLength(1);
  expect(warnings).toHaveLength(6);
});

test("a node that leaves while Redis hangs sends no command afterwards", async () => {
  const clock = virtualClock();
  let asked = 0;
  let left = false;
  const node = await createRedisCluster(redis.url, log, quick, clock).join({ message() {}, stale: () => void asked++ });
  redis.pause();
  onTestFinished(redis.resume);
  node.leave().then(() => {
    left = true;
  });
  await until(
    () => {
      clock.advance(quick.commandTimeout);
      return left;
    },
    { interval: 1 },
  );
  asked = 0;
  clock.advance(10 * quick.pollWhileAlone);
  expect(asked).toBe(0);
});

test("an unreachable Redis at the start is reported with what to do and without the password", async () => {
  const cluster = await openCluster("redis://:secret@127.0.0.1:1", virtualClock(), log);
  const joining = cluster.join({ message() {}, stale() {} });
  await expect(joining).rejects.toThrow(/127\.0\.0\.1:1 cannot be used \(.*ECONNREFUSED.*\): check that it runs/);
  await expect(joining).rejects.not.toThrow(/secret/);
});

test("a URL of another kind is rejected and not shown", async () => {
  const opening = openCluster("http://:secret@127.0.0.1", virtualClock(), log);
  await expect(opening).rejects.toThrow(/use a redis:\/\//);
  await expect(opening).rejects.not.toThrow(/secret/);
});

test("after a failover to a replica, nodes that answer READONLY reconnect within 5 seconds and see each other", async () => {
  const [old, fresh] = [await startRedis(), await startRedis()];
  onTestFinished(old.stop);
  onTestFinished(fresh.stop);
  const [oldAdmin, freshAdmin] = [await client(old.url), await client(fresh.url)];
  const address = await startCuttableProxy(old.url);
  onTestFinished(address.stop);
  const warnings: object[] = [];
  const logging: Log = { ...log, warn: (data) => void warnings.push(data) };
  const [one, two] = [
    await member(createRedisCluster(address.url, logging, quick)),
    await member(createRedisCluster(address.url, log, quick)),
  ];
  await one.claim("ann", "p1");
  const port = (url: string) => Number(new URL(url).port);
  await oldAdmin.sendCommand(["REPLICAOF", "127.0.0.1", `${port(fresh.url)}`]);
  await one.claim("ann", "during");
  await until(() => one.failure?.() === "refused");
  expect(warnings).toEqual([{ error: expect.stringContaining("READONLY") }]);

  address.redirect(fresh.url);
  const began = performance.now();
  await freshAdmin.ping();
  await until(async () => (await two.online(["ann"])).logins.length === 2 && one.failure?.() === undefined);
  one.broadcast({ kind: "revoke", user: "bob" });
  await two.waitFor("revoke");
  expect(performance.now() - began).toBeLessThan(5_000);
});

test("after a failover that breaks one of a node's two connections, both lead to the new Redis", async () => {
  const [old, fresh] = [await startRedis(), await startRedis()];
  onTestFinished(old.stop);
  onTestFinished(fresh.stop);
  const address = await startCuttableProxy(old.url);
  onTestFinished(address.stop);
  const one = await member(createRedisCluster(address.url, log, quick));
  const two = await member(createRedisCluster(fresh.url, log, quick));
  const admin = await client(old.url);
  address.redirect(fresh.url);
  await admin.sendCommand(["CLIENT", "KILL", "TYPE", "pubsub"]);
  await until(async () => {
    await one.claim("ann", "p1");
    return (await two.online(["ann"])).logins.length === 1;
  });
  two.broadcast({ kind: "revoke", user: "bob" });
  await one.waitFor("revoke");
});

const refusals: [string, string[], string[]][] = [
  ["OOM", ["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]],
  ["NOPERM", ["ACL", "SETUSER", "default", "-spublish"], ["ACL", "SETUSER", "default", "+spublish"]],
  ["MISCONF", ["BGSAVE"], ["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"]],
];

test.each(refusals)(
  "a Redis that answers %s is reported, and used again when it accepts commands",
  async (code, fail, restore) => {
    // The name of a folder, so that a background save fails.
    const folder = await mkdtemp(join(tmpdir(), "bonevalue-redis-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const own = await startRedis("--dir", folder, "--dbfilename", "dump.rdb", "--save", "3600 1");
    onTestFinished(own.stop);
    await mkdir(join(folder, "dump.rdb"));
    const warnings: object[] = [];
    const logging: Log = { ...log, warn: (data) => void warnings.push(data) };
    const [one, two] = [
      await member(createRedisCluster(own.url, logging, quick)),
      await member(createRedisCluster(own.url, log, quick)),
    ];
    const admin = await client(own.url);
    await admin.sendCommand(fail);
    await until(async () => {
      one.broadcast({ kind: "stale" });
      await one.claim("ann", "p1");
      return one.failure?.() === "refused";
    });
    expect(warnings).toEqual([{ error: expect.stringContaining(code) }]);
    expect((await one.online(["ann"])).complete).toBe(false);
    await admin.sendCommand(restore);
    await until(async () => one.failure?.() === undefined && (await two.online(["ann"])).logins.length === 1);
    one.broadcast({ kind: "revoke", user: "bob" });
    await two.waitFor("revoke");
  },
);

test("a Redis that asks for a password after an outage is reported, and leaves one pair of connections", async () => {
  const own = await startRedis();
  onTestFinished(own.stop);
  const warnings: object[] = [];
  const logging: Log = { ...log, warn: (data) => void warnings.push(data) };
  const one = await member(createRedisCluster(own.url, logging, quick));
  const admin = await client(own.url);
  await admin.configSet("requirepass", "secret");
  await admin.sendCommand(["AUTH", "secret"]);
  await admin.sendCommand(["CLIENT", "KILL", "SKIPME", "yes"]);
  await until(() => one.failure?.() === "refused");
  expect(warnings).toEqual([{ error: expect.stringMatching(/closed/) }, { error: expect.stringMatching(/^NOAUTH/) }]);
  await admin.configSet("requirepass", "");
  await until(() => one.failure?.() === undefined);
  // Another would send no pings, so that its timeout would end the pair again and again.
  const connections = String(await admin.sendCommand(["CLIENT", "LIST"])).match(/ cmd=(?!client)/g);
  expect(connections).toHaveLength(2);
});

test("a Redis that refuses the first commands is reported with what to do", async () => {
  const replica = await startRedis();
  onTestFinished(replica.stop);
  await (await client(replica.url)).sendCommand(["REPLICAOF", "127.0.0.1", new URL(redis.url).port]);
  const joining = (await openCluster(replica.url, systemClock, log)).join({ message() {}, stale() {} });
  await expect(joining).rejects.toThrow(
    /cannot be used \(READONLY.*\): this is a replica, so use the URL of its primary\.$/,
  );
});

test("Redis Cluster is reported as unsupported, with what is supported", async () => {
  const settings = ["--cluster-enabled", "yes"];
  const folders = [
    await mkdtemp(join(tmpdir(), "bonevalue-redis-")),
    await mkdtemp(join(tmpdir(), "bonevalue-redis-")),
  ];
  const [one, two] = [
    await startRedis(...settings, "--dir", folders[0]!),
    await startRedis(...settings, "--dir", folders[1]!),
  ];
  onTestFinished(async () => {
    await Promise.all([one.stop(), two.stop()]);
    for (const folder of folders) await rm(folder, { recursive: true });
  });
  const [first, second] = [await client(one.url), await client(two.url)];
  await first.sendCommand(["CLUSTER", "ADDSLOTSRANGE", "0", "8191"]);
  await second.sendCommand(["CLUSTER", "ADDSLOTSRANGE", "8192", "16383"]);
  await first.sendCommand(["CLUSTER", "MEET", "127.0.0.1", new URL(two.url).port]);
  await until(async () => String(await first.sendCommand(["CLUSTER", "INFO"])).includes("cluster_state:ok"));
  for (const { url } of [one, two]) {
    const joining = (await openCluster(url, systemClock, log)).join({ message() {}, stale() {} });
    await expect(joining).rejects.toThrow(
      /Redis Cluster is not supported \((MOVED|CROSSSLOT).*\): use one Redis or Valkey primary/,
    );
  }
});

function cluster(): Cluster {
  return createRedisCluster(redis.url, log, quick);
}

async function member(of: Cluster): Promise<TestNode> {
  const node = await joined(of);
  onTestFinished(node.leave);
  return node;
}

async function cutOff(): Promise<CuttableProxy> {
  const cut = await startCuttableProxy(redis.url);
  onTestFinished(cut.stop);
  return cut;
}

async function client(url: string = redis.url) {
  const connection = await createClient({ url }).connect();
  onTestFinished(() => connection.destroy());
  return connection;
}

async function flush(): Promise<void> {
  await (await client()).flushAll();
}

async function keys(): Promise<string[]> {
  return (await client()).keys("*");
}
