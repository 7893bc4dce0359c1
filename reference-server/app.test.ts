import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import type { Cluster } from "./cluster/cluster.ts";
import { createLocalCluster } from "./cluster/local.ts";
import type { ServerOptions } from "./server.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import { capital, password, signedIn, startTestServer } from "./testing/test-server.ts";

/** An app that uses names as tokens and manages friends itself. */
async function app(friends: Record<string, { username: string; alias: string }[]> = {}, options: ServerOptions = {}) {
  const valid = new Map<string, { username: string; expires?: Date }>();
  const asked: string[] = [];
  const here = await startTestServer([], {
    authenticate: async (token) => valid.get(token),
    trusted: async (username) => {
      asked.push(username);
      return friends[username] ?? [];
    },
    ...options,
  });
  for (const name of ["ann", "bob", "cat"]) valid.set(`token of ${name}`, { username: name });
  const signIn = async (name: string, session?: string) =>
    signedIn(await here.open(), { token: `token of ${name}`, session });
  return { ...here, valid, friends, asked, signIn };
}

const named = (...names: string[]) => names.map((username) => ({ username, alias: capital(username) }));

test("a token of the app signs in its user and creates the account", async () => {
  const { open, signIn } = await app();
  const ann = await signIn("ann");
  expect(ann.received[0]?.data.username).toBe("ann");
  const unknown = await open();
  unknown.send("authenticate", { version: 1, token: "forged" });
  expect((await unknown.next("error")).data.code).toBe("unauthenticated");
  expect(await unknown.closed).toBe(4001);
});

test("token and session resume the same peer, and another user gets a new session", async () => {
  const { signIn } = await app();
  const ann = await signIn("ann");
  expect((await signIn("ann", ann.session)).id).toBe(ann.id);
  const bob = await signIn("bob", ann.session);
  expect(bob.id).not.toBe(ann.id);
  expect(bob.session).not.toBe(ann.session);
});

test("failures of others from the same address do not lock out a session that reconnects with a token", async () => {
  const { open, signIn } = await app({}, { limits: { failuresPerAddress: 1 } });
  const forged = async () => {
    const client = await open();
    client.send("authenticate", { version: 1, token: "forged" });
    return (await client.next("error")).data.code;
  };
  const ann = await signIn("ann");
  expect([await forged(), await forged()]).toEqual(["unauthenticated", "rate-limited"]);
  expect((await signIn("ann", ann.session)).id).toBe(ann.id);
});

test("guessing tokens beside a session is limited too", async () => {
  const { open, signIn } = await app({}, { limits: { failuresPerAccount: 1 } });
  const { session } = await signIn("ann");
  const forged = async () => {
    const client = await open();
    client.send("authenticate", { version: 1, token: "forged", session });
    return (await client.next("error")).data.code;
  };
  expect([await forged(), await forged()]).toEqual(["unauthenticated", "rate-limited"]);
});

test.each([
  ["a session alone", { session: "x" }],
  ["a password", { username: "ann", password }],
])("%s is not enough where the app authenticates", async (_, proof) => {
  const { open } = await app();
  const client = await open();
  client.send("authenticate", { version: 1, ...proof });
  expect((await client.next("error")).data.code).toBe("unsupported");
  expect(await client.closed).toBe(4001);
});

test("a server with passwords rejects tokens", async () => {
  const { open } = await startTestServer(["ann"]);
  const client = await open();
  client.send("authenticate", { version: 1, token: "x" });
  expect((await client.next("error")).data.code).toBe("unsupported");
});

test("before a token expires its client is asked to reconnect, and when it expires the socket closes", async () => {
  const { valid, clock, signIn } = await app();
  valid.set("token of ann", { username: "ann", expires: new Date(clock.now() + 20_000) });
  const ann = await signIn("ann");
  clock.advance(0);
  const { after } = (await ann.next("reconnect")).data;
  expect(after).toBeLessThan(20_000);
  clock.advance(19_999);
  await ann.settled();
  clock.advance(1);
  expect((await ann.next("error")).data.code).toBe("unauthenticated");
  expect(await ann.closed).toBe(4001);
});

test("two users can talk when each names the other, under the receiver's own alias", async () => {
  const { signIn } = await app({ ann: named("bob", "cat"), bob: [{ username: "ann", alias: "Sis" }], cat: [] });
  const ann = await signIn("ann");
  const cat = await signIn("cat");
  const bob = await signIn("bob");
  expect([ann.users, bob.users, cat.users]).toEqual([["Bob"], ["Sis"], []]);
  expect(bob.peers).toEqual([{ name: "Sis", id: ann.id }]);
  expect((await ann.next("peerConnect")).data).toEqual({ name: "Bob", id: bob.id });
  expect((await ann.request("peerRequest", { to: cat.id, signal: 1 })).data.code).toBe("unknown-peer");
});

test("refresh announces the changes of the app to every affected peer", async () => {
  const { server, signIn, friends } = await app({ ann: named("bob"), bob: named("ann"), cat: named("ann") });
  const [ann, bob, cat] = [await signIn("ann"), await signIn("bob"), await signIn("cat")];
  await ann.next("peerConnect");
  friends["ann"] = named("cat");
  await server.refresh("ann");
  expect(await ann.next()).toEqual({ type: "peerDisconnect", data: bob.id });
  expect(await ann.next()).toEqual({ type: "userRemove", data: "Bob" });
  expect(await ann.next()).toEqual({ type: "userAdd", data: "Cat" });
  expect((await ann.next()).data).toEqual({ name: "Cat", id: cat.id });
  expect(await bob.next("userRemove")).toEqual({ type: "userRemove", data: "Ann" });
  expect((await cat.next("peerConnect")).data).toEqual({ name: "Ann", id: ann.id });
  expect((await bob.request("peerRequest", { to: ann.id, signal: 1 })).data.code).toBe("unknown-peer");
});

test("a missed refresh takes effect when the cluster reports lost messages", async () => {
  const cluster = createLocalCluster();
  const deaf = deafened(cluster);
  const friends = { ann: named("bob"), bob: named("ann") };
  const [near, far] = [await app(friends, { cluster }), await app(friends, { cluster: deaf.cluster })];
  await near.signIn("ann");
  const bob = await far.signIn("bob");
  friends.ann = [];
  await near.server.refresh("ann");
  deaf.lost();
  expect(await bob.next("userRemove")).toEqual({ type: "userRemove", data: "Ann" });
});

test("user names of the app are canonicalized", async () => {
  const friends = {
    "ann@example.org": [{ username: "Bob@Example.org", alias: "Bob" }],
    "bob@example.org": [{ username: "Ann@Example.org", alias: "Ann" }],
  };
  const { server, signIn, valid } = await app(friends);
  for (const name of ["Ann", "Bob"]) valid.set(`token of ${name}`, { username: `${name}@Example.org` });
  const [ann, bob] = [await signIn("Ann"), await signIn("Bob")];
  expect((await ann.next("peerConnect")).data).toEqual({ name: "Bob", id: bob.id });
  friends["ann@example.org"] = [];
  await server.refresh("Ann@Example.org");
  await bob.next("userRemove");
  await server.accounts.remove("Bob@Example.org");
  expect(await bob.closed).toBe(4001);
});

test("an alias that the app changes is a new user for the client", async () => {
  const { server, signIn, friends } = await app({ ann: named("bob"), bob: named("ann") });
  const [bob, ann] = [await signIn("bob"), await signIn("ann")];
  friends["ann"] = [{ username: "bob", alias: "Bobby" }];
  await server.refresh("ann");
  expect((await ann.next()).data).toBe(bob.id);
  expect(await ann.next()).toEqual({ type: "userRemove", data: "Bob" });
  expect(await ann.next()).toEqual({ type: "userAdd", data: "Bobby" });
  expect((await ann.next()).data).toEqual({ name: "Bobby", id: bob.id });
});

test("the app is asked once per user until refresh, and again after a failure", async () => {
  const { server, signIn, asked, open, friends } = await app({ ann: named("bob"), bob: named("ann") });
  const ann = await signIn("ann");
  await signIn("ann");
  await signIn("bob");
  expect(asked.toSorted()).toEqual(["ann", "bob"]);
  await server.refresh("bob");
  expect(asked.toSorted()).toEqual(["ann", "bob", "bob"]);
  Object.defineProperty(friends, "cat", {
    configurable: true,
    get: () => {
      throw new Error("database down");
    },
  });
  const cat = await open();
  cat.send("authenticate", { version: 1, token: "token of cat" });
  expect((await cat.next("error")).data.code).toBe("unreachable");
  expect(await cat.closed).toBe(1013);
  Object.defineProperty(friends, "cat", { value: named("ann") });
  await signIn("cat");
  await ann.settled();
});

test("invalid aliases from the app are ignored and logged", async () => {
  const { signIn, logged } = await app({
    ann: [
      { username: "bob", alias: "Us" },
      { username: "ann", alias: "Me" },
      ...named("cat"),
      { username: "dan", alias: "Cat" },
    ],
    ...{ bob: named("ann"), cat: named("ann"), dan: named("ann") },
  });
  expect((await signIn("ann")).users).toEqual(["Cat"]);
  expect(logged.filter(([level]) => level === "warn")).toHaveLength(3);
});

test("requests that the app handles itself are unsupported", async () => {
  const { signIn } = await app();
  const ann = await signIn("ann");
  for (const [type, data] of [
    ["inviteUser", { email: "x@example.org" }],
    ["requestToken", { name: "X" }],
    ["claimToken", { name: "X", token: "t" }],
    ["removeUser", { name: "X" }],
    ["changePassword", { current: "a", password: "battery staple" }],
  ] as const)
    expect((await ann.request(type, data)).data.code).toBe("unsupported");
});

test("the server shares the http server of an app and leaves other requests alone", async () => {
  const http = createHttpServer((request, response) => response.end(`the app's ${request.url}`));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(() => void http.close());
  const { server, signIn } = await startTestServer(["ann"], { server: http, path: "/p2p" });
  expect(server.url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/p2p$/);
  await signIn("ann");
  const base = server.url.replace("ws", "http").replace("/p2p", "");
  expect(await (await fetch(`${base}/anything`)).text()).toBe("the app's /anything");
  expect(await (await fetch(`${base}/p2p/healthz`)).text()).toBe("ok\n");
  await server.close();
  expect(http.listening).toBe(true);
  expect(await (await fetch(`${base}/p2p/healthz`)).text()).toBe("the app's /p2p/healthz");
});

test("a store of the app is used and not closed", async () => {
  const store = await openSqliteStore(":memory:");
  const { server, signIn } = await startTestServer(["ann"], { store });
  await signIn("ann");
  await server.close();
  expect(await store.account("ann")).toMatchObject({ username: "ann" });
});

test("minted TURN credentials follow coturn's scheme and are renewed before they expire", async () => {
  const { createHmac } = await import("node:crypto");
  const { signIn, clock } = await startTestServer(["ann"], {
    ice: [{ urls: ["turn:turn.example.org"], secret: "shared" }],
    limits: { iceAge: 3_600_000 },
  });
  const ann = await signIn("ann");
  const first = ann.received.find(({ type }) => type === "iceServers")!.data;
  const [{ username, credential }] = first.servers;
  expect(credential).toBe(createHmac("sha1", "shared").update(username).digest("base64"));
  expect(Number(username.split(":")[0]) * 1_000).toBeGreaterThan(clock.now() + 3_590_000);
  for (let passed = 0; passed < 1_800_000; passed += 25_000) {
    clock.advance(25_000);
    ann.send("pong", {});
    await ann.settled();
  }
  const { data: second } = await ann.next("iceServers");
  expect(Date.parse(second.expires)).toBeGreaterThan(Date.parse(first.expires));
  expect(Date.parse(first.expires)).toBeGreaterThan(clock.now());
});

/** A cluster whose node receives nothing except `stale`, when the test calls it. */
function deafened(cluster: Cluster) {
  let lost = () => {};
  const deaf: Cluster = {
    join(events) {
      lost = events.stale;
      return cluster.join({ message() {}, stale: events.stale });
    },
  };
  return { cluster: deaf, lost: () => lost() };
}
