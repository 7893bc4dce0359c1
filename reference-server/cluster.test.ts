import { hash } from "@node-rs/argon2";
import { createClient } from "@redis/client";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { until } from "../tools/eventually.ts";
import { createRedisCluster, type RedisTimes } from "./cluster/redis.ts";
import { accountGroup } from "./groups.ts";
import { defaultLog } from "./log.ts";
import { createServer, type ServerOptions } from "./server.ts";
import { openPostgresStore } from "./store/postgres.ts";
import { startCuttableProxy } from "./testing/cuttable-proxy.ts";
import { startPostgres, type TestPostgres } from "./testing/postgres.ts";
import { startRedis, type TestRedis } from "./testing/redis.ts";
import { openClient } from "./testing/test-client.ts";
import { capital, type Peer, password, signedIn } from "./testing/test-server.ts";

// A node that is busy for seconds keeps its lease, and no node reads again by itself while a test runs.
const times: RedisTimes = {
  lease: 6_000,
  recoveryCheck: 400,
  rewrite: 600_000,
  pollWhileAlone: 300,
  commandTimeout: 5_000,
};
const limits = { resync: 600_000 };

const log = defaultLog("silent");
let redis: TestRedis;
let postgres: TestPostgres;
let passwordHash: string;
beforeAll(async () => {
  [redis, postgres, passwordHash] = await Promise.all([startRedis(), startPostgres(), hash(password)]);
});
afterAll(() => Promise.all([redis.stop(), postgres.stop()]));

/** A node whose connection to Redis can be cut. */
async function nodeOn(store: string, options: ServerOptions, commandTimeout: number) {
  const wire = await startCuttableProxy(redis.url);
  const cluster = createRedisCluster(wire.url, log, { ...times, commandTimeout });
  const server = await createServer({
    ...{ port: 0, store, cluster, log, ...options },
    limits: { ...limits, ...options.limits },
  });
  onTestFinished(async () => {
    await server.close();
    wire.stop();
  });
  const open = async () => {
    const client = await openClient(server.url);
    onTestFinished(() => client.socket.terminate());
    return client;
  };
  return {
    server,
    wire,
    open,
    signIn: async (username: string, session?: string): Promise<Peer> =>
      signedIn(await open(), session === undefined ? { username, password } : { session }),
  };
}

/** Starts two nodes that share everything; these users trust each other. */
async function twoNodes(
  names: readonly string[],
  options: ServerOptions = {},
  commandTimeout: number = times.commandTimeout,
) {
  await flush();
  const url = await postgres.database();
  const store = await openPostgresStore(url, log);
  for (const [at, name] of names.entries()) {
    await store.addAccount(name, passwordHash);
    for (const other of names.slice(0, at)) await store.trust(name, capital(other), other, capital(name));
  }
  await store.close();
  return [await nodeOn(url, options, commandTimeout), await nodeOn(url, options, commandTimeout)] as const;
}

/** Removes the data of earlier tests, which use the same names. */
async function flush(): Promise<void> {
  const client = await createClient({ url: redis.url }).connect();
  await client.flushAll();
  client.destroy();
}

test("peers on two nodes see and signal each other", async () => {
  const [one, two] = await twoNodes(["ann", "bob"]);
  const ann = await one.signIn("ann");
  const bob = await two.signIn("bob");
  expect(bob.peers).toEqual([{ name: "Ann", id: ann.id }]);
  expect((await ann.next("peerConnect")).data).toEqual({ name: "Bob", id: bob.id });
  bob.send("peerRequest", { to: ann.id, signal: { hello: 1 } });
  expect((await ann.next("peerRequest")).data).toEqual({ from: bob.id, signal: { hello: 1 } });
  ann.send("peerResponse", { to: bob.id, signal: 2 });
  expect((await bob.next("peerResponse")).data).toEqual({ from: ann.id, signal: 2 });
});

test("guests on two nodes see and signal each other, and a full room is full on both", async () => {
  const [one, two] = await twoNodes([], { rooms: true, limits: { peersPerRoom: 3 } });
  const enter = async (node: typeof one, proof: object) => signedIn(await node.open(), { room: "demo", ...proof });
  const ann = await enter(one, { name: "Ann 1 {x}" });
  const bob = await enter(two, { name: "Bob" });
  expect(bob.peers).toEqual([{ name: "Ann 1 {x}", id: ann.id }]);
  expect((await ann.next("peerConnect")).data).toEqual({ name: "Bob", id: bob.id });
  bob.send("peerRequest", { to: ann.id, signal: 1 });
  expect((await ann.next("peerRequest")).data).toEqual({ from: bob.id, signal: 1 });
  await enter(one, { name: "Cyd" });
  for (const node of [one, two]) {
    const late = await node.open();
    late.send("authenticate", { version: 1, room: "demo" });
    expect((await late.next("error")).data.code).toBe("busy");
  }
  const moved = await enter(two, { name: "Ann 1 {x}", session: ann.session });
  expect(moved).toMatchObject({ id: ann.id, resumed: true });
  expect(moved.peers).toContainEqual({ name: "Bob", id: bob.id });
});

test("after Redis restarts empty, guests keep each other and their names", async () => {
  const [one, two] = await twoNodes([], { rooms: true });
  const enter = async (node: typeof one, name: string) => signedIn(await node.open(), { room: "demo", name });
  const [ann, bob] = [await enter(one, "Ann"), await enter(two, "Bob")];
  await redis.kill();
  const late = await enter(two, "Late");
  await redis.start();
  expect((await ann.next("peerConnect")).data).toEqual({ name: "Bob", id: bob.id });
  expect((await ann.next("peerConnect")).data).toEqual({ name: "Late", id: late.id });
  for (const peer of [ann, bob, late]) {
    await peer.settled();
    expect(peer.received.filter(({ type }) => type === "peerDisconnect")).toEqual([]);
  }
});

test("a session keeps its peer id on every node, and a takeover on another node is unannounced", async () => {
  const [one, two] = await twoNodes(["ann", "bob"]);
  const [ann, bob] = [await one.signIn("ann"), await one.signIn("bob")];
  const again = await two.signIn("ann", ann.session);
  expect(again).toMatchObject({ id: ann.id, resumed: true });
  expect(await ann.closed).toBe(4002);
  // The last signals to the older socket may be lost with it: repeat them.
  await until(async () => {
    bob.send("peerRequest", { to: ann.id, signal: 1 });
    await Promise.all([bob.settled(), again.settled()]);
    return again.received.some(({ type, data }) => type === "peerRequest" && data.from === bob.id);
  });
  expect(bob.received.filter(({ type }) => type === "peerDisconnect")).toEqual([]);
});

test("a profile crosses nodes: with its peer, in lists, when it changes, and when its peer moves", async () => {
  const [one, two] = await twoNodes(["ann", "bob"]);
  const as = (username: string, profile: object) => ({ username, password, profile });
  const ann = await signedIn(await one.open(), as("ann", {}));
  const bob = await signedIn(await two.open(), as("bob", { n: 1 }));
  expect((await ann.next("peerConnect")).data).toMatchObject({ id: bob.id, profile: { n: 1 } });
  for (let n = 2; n <= 20; n++) bob.send("setProfile", { profile: { n, name: "Bob \u{1F600} {x}\n" } });
  const newest = { n: 20, name: "Bob \u{1F600} {x}\n" };
  const told = () => ann.received.flatMap(({ type, data }) => (type === "peerUpdates" ? data : [])).at(-1);
  await until(() => told()?.[1].n === 20, { interval: 10 });
  expect(told()).toEqual([bob.id, newest]);
  const late = await signedIn(await one.open(), as("ann", {}));
  expect(late.peers).toContainEqual({ name: "Bob", id: bob.id, profile: newest });
  const moved = await signedIn(await one.open(), { session: bob.session, profile: { n: 21 } });
  expect(moved).toMatchObject({ id: bob.id, resumed: true });
  await until(() => told()?.[1].n === 21, { interval: 10 });
  moved.send("setProfile", { profile: { n: 22 } });
  await until(() => told()?.[1].n === 22, { interval: 10 });
});

test("a profile that changed while Redis was away reaches the other nodes", async () => {
  const [one, two] = await twoNodes(["ann", "bob"]);
  const as = (username: string, profile: object) => ({ username, password, profile });
  const ann = await signedIn(await one.open(), as("ann", {}));
  const bob = await signedIn(await two.open(), as("bob", { n: 1 }));
  await ann.next("peerConnect");
  two.wire.cut();
  bob.send("setProfile", { profile: { n: 2 } });
  await bob.settled();
  two.wire.restore();
  await until(() => ann.received.some(({ type, data }) => type === "peerUpdates" && data[0][1].n === 2), {
    interval: 20,
  });
});

test("of many sockets on two nodes that resume one session at once, one stays", async () => {
  const [one, two] = await twoNodes(["ann"]);
  const ann = await one.signIn("ann");
  const sockets = await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 ? one : two).open()));
  for (const socket of sockets) socket.send("authenticate", { version: 1, session: ann.session });
  const codes: (number | undefined)[] = sockets.map(() => undefined);
  sockets.forEach((socket, at) => {
    void socket.closed.then((code) => {
      codes[at] = code;
    });
  });
  await until(() => codes.filter((code) => code !== undefined).length === 19);
  // 1006: this process was too busy to answer the close frame within a second.
  for (const code of codes) expect([4002, 1006, undefined]).toContain(code);
  await sockets[codes.indexOf(undefined)]!.settled();
});

test("a revocation is pushed to every node", async () => {
  const [one, two] = await twoNodes(["ann", "bob"]);
  const [ann, bob] = [await one.signIn("ann"), await two.signIn("bob")];
  await Promise.all([ann.request("removeUser", { name: "Bob" }), bob.next("userRemove")]);
  expect(bob.received.filter(({ type }) => type === "peerDisconnect")[0]?.data).toBe(ann.id);
  expect((await bob.request("peerRequest", { to: ann.id, signal: 1 })).data.code).toBe("unknown-peer");
});

test("trust by an invitation that is accepted on one node reaches the inviter on another", async () => {
  const [one, two] = await twoNodes(["ann"]);
  const ann = await one.signIn("ann");
  const { link } = await one.server.accounts.invite("bob@example.org", { from: "ann", alias: "Bob", as: "Ann" });
  const bob = await two.open();
  bob.send("acceptInvite", { version: 1, invite: new URL(link).hash.slice(1), password });
  const id = (await bob.next("setPeerId")).data.peerId;
  expect((await bob.next("peerList")).data).toEqual([expect.objectContaining({ name: "Ann", id: ann.id })]);
  expect((await ann.next("userAdd")).data).toBe("Bob");
  expect((await ann.next("peerConnect")).data).toMatchObject({ name: "Bob", id });
});

test("nodes that change one account at the same moment agree, and a removal ends what the others did", async () => {
  const [one, two] = await twoNodes(["ann", "bob"]);
  const nodes = [one.server, two.server];
  const added = await Promise.allSettled(nodes.map(({ accounts }) => accounts.add("cat", password)));
  expect(added.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const trusted = await Promise.allSettled(nodes.map(({ accounts }) => accounts.trust("cat", "Ann", "ann", "Cat")));
  expect(trusted.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const [ann, cat] = [await one.signIn("ann"), await two.signIn("cat")];
  const [removed] = await Promise.allSettled([
    one.server.accounts.remove("cat"),
    two.server.accounts.setPassword("cat", "another secret"),
  ]);
  expect(removed.status).toBe("fulfilled");
  expect(await cat.closed).toBe(4001);
  expect((await ann.next("userRemove")).data).toBe("Cat");
  const late = await two.open();
  late.send("authenticate", { version: 1, username: "cat", password: "another secret" });
  expect((await late.next("error")).data.code).toBe("unauthenticated");
});

test("a changed password ends the sessions on every node at once", async () => {
  const [one, two] = await twoNodes(["ann", "bob"]);
  const [ann, other, bob] = [await one.signIn("ann"), await two.signIn("ann"), await two.signIn("bob")];
  const change = ann.request("changePassword", { current: password, password: "a better secret" });
  await Promise.all([change, other.closed, bob.next("peerDisconnect")]);
  expect(await other.closed).toBe(4001);
  const late = await two.open();
  late.send("authenticate", { version: 1, session: other.session });
  expect(await late.closed).toBe(4001);
});

/** Ann on a device, with a session on each node, and another session of hers. */
async function withDevice() {
  const [one, two] = await twoNodes(["ann", "bob"]);
  const ann = await signedIn(await one.open(), { username: "ann", password, remember: true });
  const { device } = ann.received[0]!.data;
  const [here, there] = [await signedIn(await one.open(), { device }), await signedIn(await two.open(), { device })];
  return { one, two, ann, here, there, device, other: await two.signIn("ann"), bob: await two.signIn("bob") };
}

test("a forgotten device loses its sessions on every node at once", async () => {
  const { two, ann, here, there, device, other, bob } = await withDevice();
  const { devices } = (await other.request("listDevices")).data;
  expect(devices).toMatchObject([{ current: false }]);
  await other.request("forgetDevice", { id: devices[0].id });
  expect(await Promise.all([ann.closed, here.closed, there.closed])).toEqual([4001, 4001, 4001]);
  for (let gone = 0; gone < 3; gone++) await bob.next("peerDisconnect");
  await other.settled();
  const late = await two.open();
  late.send("authenticate", { version: 1, device });
  expect(await late.closed).toBe(4001);
});

test("a forgotten device loses its sessions even while Redis is unreachable", async () => {
  const { one, two, ann, here, there, other } = await withDevice();
  const { devices } = (await other.request("listDevices")).data;
  one.wire.cut();
  two.wire.cut();
  await other.request("forgetDevice", { id: devices[0].id });
  expect(await Promise.all([ann.closed, here.closed, there.closed])).toEqual([4001, 4001, 4001]);
});

test("a page that is reloaded may come back on another node, and others do not see it leave", async () => {
  const [one, two] = await twoNodes(["ann", "bob"]);
  const bob = await one.signIn("bob");
  const ann = await signedIn(await one.open(), { username: "ann", password, stay: true });
  await bob.next("peerConnect");
  ann.socket.close(1001);
  await ann.closed;
  const again = await signedIn(await two.open(), { session: ann.session, stay: true });
  expect([again.id, again.resumed]).toEqual([ann.id, true]);
  again.send("peerRequest", { to: bob.id, signal: "after the reload" });
  expect((await bob.next("peerRequest")).data.from).toBe(ann.id);
  expect(bob.received.map(({ type }) => type)).not.toContain("peerDisconnect");
});

test("a revocation takes effect even while Redis is unreachable", async () => {
  const [one, two] = await twoNodes(["ann", "bob"]);
  const [ann, bob1, bob2] = [await one.signIn("ann"), await two.signIn("bob"), await two.signIn("bob")];
  two.wire.cut();
  const change = ann.request("removeUser", { name: "Bob" });
  await Promise.all([change, bob1.next("userRemove"), bob2.next("userRemove")]);
  bob1.send("peerRequest", { to: bob2.id, signal: "still ours" });
  expect((await bob2.next("peerRequest")).data.signal).toBe("still ours");
});

test("a token of one node can be claimed on another", async () => {
  const [one, two] = await twoNodes(["ann", "bob", "cat"]);
  await one.server.accounts.add("dan", password);
  const [ann, dan] = [await one.signIn("ann"), await two.signIn("dan")];
  const { token } = (await ann.request("requestToken", { name: "Daniel" })).data;
  expect((await dan.request("claimToken", { name: "Ann", token })).type).toBe("claimResponse");
  expect((await ann.next("userAdd")).data).toBe("Daniel");
  expect((await ann.next("peerConnect")).data).toEqual({ name: "Daniel", id: dan.id });
});

test("failures are counted on all nodes together", async () => {
  const [one, two] = await twoNodes(["ann"], { limits: { failuresPerAccount: 4 } });
  const codes: string[] = [];
  for (let guess = 0; guess < 6; guess++) {
    const client = await (guess % 2 ? one : two).open();
    client.send("authenticate", { version: 1, username: "ann", password: "wrong" });
    codes.push((await client.next("error")).data.code);
  }
  expect(codes).toEqual([...Array(4).fill("unauthenticated"), "rate-limited", "rate-limited"]);
});

test("the peers of a dead node are announced as lost, except those that have reconnected elsewhere", async () => {
  const [one, two] = await twoNodes(["ann", "bob"]);
  const [ann, lost, saved] = [await one.signIn("ann"), await two.signIn("bob"), await two.signIn("bob")];
  const dying = await redis.ownerOf(accountGroup("", "bob"), lost.id);
  two.wire.cut();
  await Promise.all([lost.break(), saved.break()]);
  const back = await one.signIn("bob", saved.session);
  expect(back).toMatchObject({ id: saved.id, resumed: true });
  await redis.endLease(dying!);
  expect(await ann.next("peerDisconnect")).toEqual({ type: "peerDisconnect", data: lost.id, lost: true });
  back.send("peerRequest", { to: ann.id, signal: 1 });
  await ann.next("peerRequest");
  expect(ann.received.filter(({ type }) => type === "peerDisconnect")).toHaveLength(1);
});

test("a Redis that is killed and restarts empty closes no socket, and the lists become correct", async () => {
  const [one, two] = await twoNodes(["ann", "bob", "cat"]);
  const [ann, bob, cat] = [await one.signIn("ann"), await two.signIn("bob"), await one.signIn("cat")];
  await redis.kill();
  ann.send("peerRequest", { to: cat.id, signal: "local relay goes on" });
  await cat.next("peerRequest");
  const late = await two.signIn("cat");
  await redis.start();
  expect((await ann.next("peerConnect")).data).toEqual({ name: "Bob", id: bob.id });
  expect((await ann.next("peerConnect")).data).toEqual({ name: "Cat", id: cat.id });
  expect((await ann.next("peerConnect")).data).toEqual({ name: "Cat", id: late.id });
  for (const peer of [ann, bob, cat, late]) {
    await peer.settled();
    expect(peer.received.filter(({ type }) => type === "peerDisconnect")).toEqual([]);
  }
});

test("a hanging Redis delays neither sign-ins, relays nor /healthz, and is used again when it answers", async () => {
  const [one, two] = await twoNodes(["ann", "bob", "cat"], {}, 500);
  const [ann, bob, cat] = [await one.signIn("ann"), await two.signIn("bob"), await one.signIn("cat")];
  onTestFinished(redis.resume);
  redis.pause();
  // Constant messages to the other node must not keep a connection alive that gets no answer.
  const chatter = setInterval(() => ann.send("peerRequest", { to: bob.id, signal: "lost" }), 20);
  onTestFinished(() => clearInterval(chatter));

  // Redis hangs until all of this is done.
  const late = await one.signIn("cat");
  ann.send("peerRequest", { to: cat.id, signal: "local relay goes on" });
  await cat.next("peerRequest");
  expect((await fetch(`${one.server.url.replace("ws", "http")}/healthz`)).status).toBe(200);
  const again = await two.signIn("bob", bob.session);
  expect(again).toMatchObject({ id: bob.id, resumed: true });

  redis.resume();
  await until(() => again.received.some(({ type, data }) => type === "peerConnect" && data.id === late.id));
  again.send("peerRequest", { to: late.id, signal: "across again" });
  expect((await late.next("peerRequest")).data).toEqual({ from: bob.id, signal: "across again" });
  for (const peer of [ann, cat, again, late]) {
    await peer.settled();
    expect(peer.received.filter(({ type }) => type === "peerDisconnect")).toEqual([]);
  }
});

test("a server with a hanging Redis can close", async () => {
  const [one] = await twoNodes(["ann"], {}, 500);
  const ann = await one.signIn("ann");
  onTestFinished(redis.resume);
  redis.pause();
  await one.server.close();
  expect(await ann.closed).toBe(1012);
});

test("a server that drains tells its clients when to reconnect and waits for them", async () => {
  const [one, two] = await twoNodes(["ann", "bob"], { limits: { drain: 60_000 } });
  const [ann, bob] = [await one.signIn("ann"), await two.signIn("bob")];
  const closing = one.server.close();
  const { after } = (await ann.next("reconnect")).data;
  expect(after).toBeGreaterThanOrEqual(0);
  expect(after).toBeLessThanOrEqual(60_000);
  await expect(one.open()).rejects.toThrow("HTTP 503");
  const moved = await two.signIn("ann", ann.session);
  expect(await ann.closed).toBe(4002);
  await closing;
  expect(moved).toMatchObject({ id: ann.id, resumed: true });
  await bob.settled();
  expect(bob.received.filter(({ type }) => type === "peerDisconnect")).toEqual([]);
  const second = two.server.close();
  await Promise.all([moved.next("reconnect"), bob.next("reconnect")]);
  await Promise.all([moved.break(), bob.break()]);
  await second;
});

test("Redis with SQLite is rejected with the reason", async () => {
  for (const store of [undefined, ":memory:", "some.db"])
    await expect(createServer({ port: 0, store, cluster: redis.url, log })).rejects.toThrow(/postgres:\/\//);
});

test("the limit of a room, profiles, kicks and bans reach guests on every node", async () => {
  const [one, two] = await twoNodes([], { rooms: true, limits: { ...limits, peersPerRoom: 3 } });
  const enter = async (node: typeof one, name: string) =>
    signedIn(await node.open(), { room: "demo", name, profile: {} });
  const [ann, bob, cyd] = [await enter(one, "Ann"), await enter(two, "Bob"), await enter(two, "Cyd")];
  const late = await one.open();
  late.send("authenticate", { version: 1, room: "demo", name: "Late" });
  expect([(await late.next("error")).data.code, await late.closed]).toEqual(["busy", 1013]);
  bob.send("setProfile", { profile: { status: "here" } });
  expect((await ann.next("peerUpdates")).data).toEqual([[bob.id, { status: "here" }]]);
  await one.server.kick(bob.id);
  expect(await bob.closed).toBe(4001);
  expect((await ann.next("peerDisconnect")).data).toBe(bob.id);
  await one.server.ban({ address: "127.0.0.1" }, new Date(Date.now() + 60_000));
  expect(await Promise.all([ann.closed, cyd.closed])).toEqual([4001, 4001]);
  const banned = await two.open();
  banned.send("authenticate", { version: 1, room: "demo", session: cyd.session });
  expect((await banned.next("error")).data.code).toBe("unauthenticated");
});
