import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { maxRelayMessageBytes } from "../../core/protocol/limits.ts";
import { until } from "../../tools/eventually.ts";
import type { ServerOptions } from "../server.ts";
import { password, signedIn, startTestServer } from "../testing/test-server.ts";
import { connectRelay, joinRelay, openRelay, openRelaySocket, type RelayClient } from "./testing/relay-client.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** Starts a server with relays, and signs two peers in by `proofs`. */
async function startPeers(options: ServerOptions, names: readonly string[], proofs: readonly object[]) {
  // The time of a test passes without the answers to pings.
  const limits = { idleTimeout: 3_600_000, ...options.limits };
  const test = await startTestServer(names, { relay: true, rooms: true, ...options, limits });
  const { url } = test.server;
  const ann = await signedIn(await test.open(), proofs[0]!);
  const bob = await signedIn(await test.open(), proofs[1]!);
  await ann.next("peerConnect");
  const metric = async (name: string) => {
    const text = await (await fetch(`${url.replace("ws", "http")}/metrics`)).text();
    const line = text.split("\n").find((one) => one.startsWith(`bonevalue_${name} `));
    return Number(line?.split(" ")[1] ?? 0);
  };
  const sidesCome = () =>
    test.logged.filter(([, message]) => message === "one side of a relayed link has connected").length;
  return { ...test, url, ann, bob, metric, sidesCome, connect: () => connectRelay(url, ann, bob) };
}

const guests = [
  { room: "demo", name: "Ann" },
  { room: "demo", name: "Bob" },
];

/** Two guests of one room. */
const start = (options: ServerOptions = {}) => startPeers(options, [], guests);

const accounts = ["ann", "bob"].map((username) => ({ username, password }));

/** Two users who trust each other. */
const startUsers = (options: ServerOptions = {}) => startPeers(options, ["ann", "bob"], accounts);

test("a relay passes messages in both directions, in order and one by one", async () => {
  const { ann, bob, url, metric } = await start();
  expect(ann.received[0]!.data.features).toContain("relay");
  const { caller, callee } = await openRelay(ann, bob);
  expect(callee).toEqual({ from: ann.id, url: "relay", ticket: expect.stringMatching(/^[\w-]{22}$/) });
  expect(caller).toEqual({ url: "relay", ticket: expect.stringMatching(/^[\w-]{22}$/) });
  expect(caller.ticket).not.toBe(callee.ticket);
  const [a, b] = [await joinRelay(url, caller), await joinRelay(url, callee)];
  for (const text of ["one", "", "three"]) a.send(Buffer.from(text));
  b.send(Buffer.from("back"));
  expect(await b.texts(3)).toEqual(["one", "", "three"]);
  expect(await a.texts(1)).toEqual(["back"]);
  const largest = randomBytes(maxRelayMessageBytes);
  a.send(largest);
  await b.texts(4);
  expect(largest.equals(b.received[3]!)).toBe(true);
  expect(await metric("relay_bytes_total")).toBe(maxRelayMessageBytes + 12);
  expect(await metric("relay_pipes")).toBe(1);
});

test("a side may send before the other one has come", async () => {
  const { ann, bob, url } = await start();
  const { caller, callee } = await openRelay(ann, bob);
  const a = await joinRelay(url, caller);
  for (let n = 0; n < 100; n++) a.send(Buffer.from(`${n}`));
  // Everything is at the server before the other side comes.
  await until(() => a.socket.bufferedAmount === 0);
  await ann.settled();
  const b = await joinRelay(url, callee);
  expect(await b.texts(100)).toEqual(Array.from({ length: 100 }, (_, n) => `${n}`));
});

test("the offer arrives before the signals that follow its answer", async () => {
  const { ann, bob } = await start();
  await ann.request("openRelay", { to: bob.id });
  ann.send("peerRequest", { to: bob.id, signal: 1 });
  await bob.next("peerRequest");
  expect(bob.received.slice(-2).map(({ type }) => type)).toEqual(["relayOffer", "peerRequest"]);
});

test("users who trust each other, and peers of one account, have relays", async () => {
  const { signIn, ann, url, connect } = await startUsers();
  await connect();
  await connectRelay(url, await signIn("ann"), ann);
});

test("without the option, the server names no relay and opens none", async () => {
  const { ann, bob, url } = await start({ relay: false });
  expect(ann.received[0]!.data.features).not.toContain("relay");
  expect((await ann.request("openRelay", { to: bob.id })).data.code).toBe("unsupported");
  await expect(openRelaySocket(`${url}/relay`)).rejects.toThrow("HTTP 404");
});

test("untrusted, unknown and own peers cannot be relayed to, with the same answer", async () => {
  const { ann, server, signIn } = await startUsers();
  await server.accounts.add("eve", password);
  const eve = await signIn("eve");
  const answers = await Promise.all([eve.id, "0".repeat(32), ann.id].map((to) => ann.request("openRelay", { to })));
  expect(new Set(answers.map(({ data }) => data.message)).size).toBe(1);
  expect(answers[0]!.data.code).toBe("unknown-peer");
});

// ── tickets ──

test.each<[string, (ticket: string) => string | Uint8Array, number]>([
  ["a wrong ticket", () => "x".repeat(22), 4001],
  ["a long ticket", () => "x".repeat(30_000), 4001],
  ["an empty message", () => "", 4001],
  ["a ticket as bytes", (ticket) => Buffer.from(ticket), 1008],
  ["a message above the limit", () => "x".repeat(maxRelayMessageBytes + 1), 1009],
])("%s is refused with a code", async (_, messageOf, code) => {
  const { ann, bob, url, metric } = await start();
  const { caller } = await openRelay(ann, bob);
  const socket = await openRelaySocket(`${url}/relay`);
  socket.send(messageOf(caller.ticket));
  const closed = await socket.closed;
  expect(closed.code).toBe(code);
  expect(closed.reason !== "" || code === 1009).toBe(true);
  expect(await metric('relay_refusals_total{reason="ticket"}')).toBe(code === 4001 ? 1 : 0);
  await joinRelay(url, caller);
});

test("a ticket works once", async () => {
  const { ann, bob, url } = await start();
  const { caller, callee } = await openRelay(ann, bob);
  const [a, b] = [await joinRelay(url, caller), await joinRelay(url, callee)];
  expect(await (await joinRelay(url, caller)).closed).toEqual({
    code: 4001,
    reason: "This ticket is wrong, used or expired.",
  });
  a.send(Buffer.from("still"));
  expect(await b.texts(1)).toEqual(["still"]);
});

test("a ticket ends after 30 s", async () => {
  const { ann, bob, url, clock, metric } = await start();
  const { caller } = await openRelay(ann, bob);
  clock.advance(29_000);
  const again = await openRelay(bob, ann);
  clock.advance(2_000);
  expect((await (await joinRelay(url, caller)).closed).code).toBe(4001);
  await joinRelay(url, again.caller);
  expect(await metric("relay_pipes")).toBe(1);
});

test("one side waits 10 s for the other, and its ticket ends with it", async () => {
  const { ann, bob, url, clock, metric, sidesCome } = await start();
  const { caller, callee } = await openRelay(ann, bob);
  const b = await joinRelay(url, callee);
  await until(sidesCome);
  clock.advance(9_999);
  expect(b.socket.readyState).toBe(1);
  clock.advance(1);
  expect(await b.closed).toEqual({ code: 4004, reason: "The other side did not come in time." });
  expect((await (await joinRelay(url, caller)).closed).code).toBe(4001);
  expect(await metric('relay_refusals_total{reason="incomplete"}')).toBe(1);
});

test("a side that comes last before its ticket ends does not wait longer than the other ticket", async () => {
  const { ann, bob, url, clock, sidesCome } = await start();
  const { caller } = await openRelay(ann, bob);
  clock.advance(25_000);
  const a = await joinRelay(url, caller);
  await until(sidesCome);
  clock.advance(5_000);
  expect((await a.closed).code).toBe(4004);
});

test("a caller that opens another relay to the peer gives up the one whose sides have not come", async () => {
  const { ann, bob, url, connect } = await start();
  const [a, b] = await connect();
  const waiting = await joinRelay(url, (await openRelay(ann, bob)).caller);
  const newest = await openRelay(ann, bob);
  expect((await waiting.closed).code).toBe(1001);
  await Promise.all([joinRelay(url, newest.caller), joinRelay(url, newest.callee)]);
  a.send(Buffer.from("still"));
  expect(await b.texts(1)).toEqual(["still"]);
});

test("a socket without a ticket is closed after 5 s", async () => {
  const { url, clock } = await start();
  const socket = await openRelaySocket(`${url}/relay`);
  clock.advance(5_000);
  expect((await socket.closed).code).toBe(1013);
});

test("a ticket that arrived while the server slept is used", async () => {
  const { ann, bob, url, clock } = await start();
  const { caller, callee } = await openRelay(ann, bob);
  const sockets = [await openRelaySocket(`${url}/relay`), await openRelaySocket(`${url}/relay`)] as const;
  // The poll for sockets comes after this.
  await setImmediate();
  sockets[0].send(caller.ticket);
  sockets[1].send(callee.ticket);
  clock.advance(5_000);
  sockets[0].send(Buffer.from("still"));
  expect(await sockets[1].texts(1)).toEqual(["still"]);
});

// ── the end of a pipe ──

test("a text closes both sides with codes", async () => {
  const { connect } = await start();
  const [a, b] = await connect();
  a.send("text");
  const reason = "After its ticket, a side sends binary messages only.";
  expect(await Promise.all([a.closed, b.closed])).toEqual([
    { code: 1008, reason },
    { code: 1008, reason },
  ]);
});

test("a message above the limit closes both sides", async () => {
  const { connect } = await start();
  const [a, b] = await connect();
  a.send(new Uint8Array(maxRelayMessageBytes + 1));
  expect((await a.closed).code).toBe(1009);
  expect((await b.closed).code).toBe(1001);
});

test.each<[string, (socket: { close(): void; terminate(): void }) => void]>([
  ["closes", (socket) => socket.close()],
  ["breaks", (socket) => socket.terminate()],
])("when one side %s, the other is closed after everything that was sent", async (_, end) => {
  const { connect, metric } = await start();
  const [a, b] = await connect();
  for (let n = 0; n < 50; n++) a.send(new Uint8Array(10_000));
  await until(() => b.received.length === 50);
  end(a.socket);
  expect(await b.closed).toEqual({ code: 1001, reason: "The other side has gone." });
  expect(await metric("relay_pipes")).toBe(0);
});

test("a pipe ends when nothing was sent for 150 s, and pings hold no pipe", async () => {
  const { connect, clock, ann } = await start();
  const [a, b] = await connect();
  let pings = 0;
  a.socket.on("ping", () => pings++);
  for (let n = 0; n < 4; n++) {
    clock.advance(149_000);
    (n % 2 ? a : b).send(Buffer.from("x"));
    await (n % 2 ? b : a).texts(Math.ceil((n + 1) / 2));
  }
  await ann.settled();
  expect(pings).toBeGreaterThan(4);
  clock.advance(149_999);
  expect(a.socket.readyState).toBe(1);
  clock.advance(1);
  expect(await Promise.all([a.closed, b.closed])).toEqual([
    { code: 4004, reason: "Nothing was sent for 150 s." },
    { code: 4004, reason: "Nothing was sent for 150 s." },
  ]);
});

test("WebSocket pings of a side are answered", async () => {
  const { connect } = await start();
  const [a] = await connect();
  a.socket.ping("hello");
  const [answer] = await once(a.socket, "pong");
  expect(String(answer)).toBe("hello");
});

test("a server that closes ends its pipes with the code of a restart", async () => {
  const { connect, server } = await start();
  const [a, b] = await connect();
  await server.close();
  expect([(await a.closed).code, (await b.closed).code]).toEqual([1012, 1012]);
});

// ── ends of trust and of sessions ──

type Started = Awaited<ReturnType<typeof startUsers>>;

test.each<[string, (test: Started) => unknown]>([
  ["the caller removes the callee", ({ ann }) => ann.request("removeUser", { name: "Bob" })],
  ["the callee removes the caller", ({ bob }) => bob.request("removeUser", { name: "Ann" })],
  ["the account of the callee is removed", ({ server }) => server.accounts.remove("bob")],
  ["the password of the caller is set", ({ server }) => server.accounts.setPassword("ann", "another horse")],
  ["the caller is kicked", ({ server, ann }) => server.kick(ann.id)],
  ["the callee is kicked", ({ server, bob }) => server.kick(bob.id)],
  ["the callee is banned", ({ server }) => server.ban({ user: "bob" }, new Date(Date.now() + 1e9))],
  ["the callee signs out", ({ bob }) => bob.send("bye", {})],
  ["the page of the caller closes", ({ ann }) => ann.socket.close(1000)],
])("when %s, the relay ends at once, and so do its tickets", async (_, end) => {
  const started = await startUsers();
  const { connect, ann, bob, url } = started;
  const [a, b] = await connect();
  const { callee } = await openRelay(ann, bob);
  await end(started);
  expect(await Promise.all([a.closed, b.closed])).toEqual([
    { code: 4001, reason: "The trust, or the session of a side, has ended." },
    { code: 4001, reason: "The trust, or the session of a side, has ended." },
  ]);
  expect((await (await joinRelay(url, callee)).closed).code).toBe(4001);
});

test("the end of trust between others, and a new socket of the same session, leave a relay alone", async () => {
  const { connect, server, signIn, ann, bob, settled } = await startUsers();
  await server.accounts.add("cyd", password);
  await server.accounts.trust("ann", "Cyd", "cyd", "Ann");
  const cyd = await signIn("cyd");
  const [a, b] = await connect();
  await cyd.request("removeUser", { name: "Ann" });
  const again = await signIn("ann", { session: ann.session });
  await settled(again, bob);
  a.send(Buffer.from("still"));
  expect(await b.texts(1)).toEqual(["still"]);
});

test("a change of the own password ends the relays of the other sessions only", async () => {
  const { connect, ann, bob, signIn, url } = await startUsers();
  const other = await signIn("ann");
  const [a, b] = await connect();
  const [c] = await connectRelay(url, other, bob);
  await ann.request("changePassword", { current: password, password: "another horse" });
  expect((await c.closed).code).toBe(4001);
  a.send(Buffer.from("still"));
  expect(await b.texts(1)).toEqual(["still"]);
});

test("the relay of a peer that was lost goes on until the next look at all peers", async () => {
  const { connect, clock, lose, bob, ann } = await start();
  const [a, b] = await connect();
  await lose(bob);
  clock.advance(10_000);
  await ann.next("peerDisconnect");
  a.send(Buffer.from("still"));
  expect(await b.texts(1)).toEqual(["still"]);
  clock.advance(50_000);
  expect((await a.closed).code).toBe(4001);
});

// ── limits ──

test("above the limit of a room a relay is refused as busy, until another ends", async () => {
  const { ann, bob, url, open, metric, clock, sidesCome } = await start();
  const others = [bob];
  while (others.length < 17) {
    others.push(await signedIn(await open(), { room: "demo" }));
    await ann.next("peerConnect");
  }
  const last = others.pop()!;
  for (const other of others) await openRelay(ann, other);
  expect((await last.request("openRelay", { to: ann.id })).data).toEqual({
    code: "busy",
    message: expect.stringMatching(/This account or room has too many/),
  });
  expect(await metric('relay_refusals_total{reason="account"}')).toBe(1);
  clock.advance(30_000);
  const { caller } = await openRelay(ann, last);
  await joinRelay(url, caller);
  await until(sidesCome);
  expect(await metric("relay_pipes")).toBe(1);
});

test("what the peers of an account open does not count for its limit", async () => {
  const { ann, bob } = await startUsers({ relay: { pipesPerAccount: 1 } });
  await openRelay(ann, bob);
  await openRelay(bob, ann);
  // Of one peer to another only the newest counts.
  await openRelay(ann, bob);
});

test("above the limit of a server a relay is refused as busy", async () => {
  const { ann, bob, metric } = await start({ relay: { pipes: 1 } });
  await openRelay(ann, bob);
  expect((await bob.request("openRelay", { to: ann.id })).data).toEqual({
    code: "busy",
    message: expect.stringMatching(/The server relays too many/),
  });
  expect(await metric('relay_refusals_total{reason="server"}')).toBe(1);
});

test("an account sends at the rate, after a burst, with all of its pipes together", async () => {
  const { url, ann, bob, signIn, connect, clock, metric } = await startUsers();
  const pipes = [await connect(), await connectRelay(url, await signIn("ann", { session: ann.session }), bob)] as const;
  const received = () => pipes.reduce((sum, [, b]) => sum + b.received.length, 0);
  for (const [a] of pipes) for (let n = 0; n < 256; n++) a.send(new Uint8Array(32 * kibibyte));
  await until(() => received() >= 255);
  await bob.settled();
  // Each pipe may have read once more before it stopped.
  expect(await metric("relay_bytes_total")).toBeLessThan(8.5 * mebibyte);
  clock.advance(4_000);
  await until(async () => (await metric("relay_bytes_total")) > 11.9 * mebibyte);
  await bob.settled();
  expect(await metric("relay_bytes_total")).toBeLessThan(12.5 * mebibyte);
  clock.advance(5_000);
  await until(() => received() === 512);
});

test("a pipe that is closed and opened again gets no second burst", async () => {
  const { connect, metric, ann, clock } = await start();
  const send = ([a]: readonly [RelayClient, RelayClient]) => {
    for (let n = 0; n < 250; n++) a.send(new Uint8Array(32 * kibibyte));
  };
  const first = await connect();
  send(first);
  await until(() => first[1].received.length === 250);
  first[0].socket.close();
  await first[1].closed;
  const second = await connect();
  send(second);
  await until(async () => (await metric("relay_bytes_total")) > 7.9 * mebibyte);
  await ann.settled();
  expect(await metric("relay_bytes_total")).toBeLessThan(8.5 * mebibyte);
  clock.advance(8_000);
  await until(() => second[1].received.length === 250);
});

const unlimited = { bytesPerSecond: Number.POSITIVE_INFINITY, burst: Number.POSITIVE_INFINITY };

test("a side that does not read stops the other, and later gets everything", async () => {
  const { connect, metric } = await start({ relay: unlimited });
  const [a, b] = await connect();
  b.socket.pause();
  const count = 2_000;
  for (let n = 0; n < count; n++) a.send(Buffer.alloc(32 * kibibyte, n));
  let before = -1;
  // The buffers of the system between the two are full when nothing moves any more.
  await until(
    async () => {
      const now = await metric("relay_bytes_total");
      const still = now === before && now > 0;
      before = now;
      return still;
    },
    { interval: 300 },
  );
  expect(before).toBeLessThan(40 * mebibyte);
  expect(a.socket.bufferedAmount).toBeGreaterThan(20 * mebibyte);
  // The other direction goes on.
  b.send(Buffer.from("back"));
  expect(await a.texts(1)).toEqual(["back"]);
  b.socket.resume();
  await until(() => b.received.length === count);
  expect(b.received.every((message, n) => message.length === 32 * kibibyte && message[0] === n % 256)).toBe(true);
});

// ── where relays are served ──

test("relays work on the http server of an app, below the path, for allowed origins only", async () => {
  const http = createHttpServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(() => void http.close());
  const { ann, bob, url } = await start({ server: http, path: "/p2p", origins: ["https://app.example.org"] });
  expect(url).toMatch(/\/p2p$/);
  await connectRelay(url, ann, bob);
  const page = { origin: "https://app.example.org" };
  await openRelaySocket(`${url}/relay`, page);
  await expect(openRelaySocket(`${url}/relay`, { origin: "https://evil.example" })).rejects.toThrow("HTTP 403");
  await expect(openRelaySocket(url.replace("p2p", "relay"), page)).rejects.toThrow("HTTP 404");
});

test.each<[string, ServerOptions, string]>([
  ["the public URL", { publicUrl: "https://bv.example.org/p2p" }, "wss://bv.example.org/p2p/relay"],
  [
    "the URL of the node, if it has one",
    { publicUrl: "https://bv.example.org", nodeUrl: "http://one.example.org:81/" },
    "ws://one.example.org:81/relay",
  ],
])("relays are at %s", async (_, options, url) => {
  const { ann, bob } = await start(options);
  expect(await openRelay(ann, bob)).toMatchObject({ caller: { url }, callee: { url } });
});

test("relay sockets count for the limit of their address", async () => {
  const { url, connect, ann } = await start({ limits: { socketsPerAddress: 4 } });
  await connect();
  const socket = await openRelaySocket(`${url}/relay`);
  expect((await socket.closed).code).toBe(1013);
  expect(socket.received).toEqual([]);
  await ann.settled();
});

test("neither the log nor the metrics contain names, ids of peers, tickets or content", async () => {
  const { connect, logged, ann, bob, url } = await start();
  const [a, b] = await connect();
  a.send(Buffer.from("very secret"));
  await b.texts(1);
  const { caller } = await openRelay(ann, bob);
  a.socket.close();
  await b.closed;
  const metrics = await (await fetch(`${url.replace("ws", "http")}/metrics`)).text();
  const text = JSON.stringify([logged, metrics]);
  for (const secret of ["very secret", "bob", "Bob", ann.id, caller.ticket]) expect(text).not.toContain(secret);
});
