import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { until } from "../tools/eventually.ts";
import type { Cluster } from "./cluster/cluster.ts";
import { createLocalCluster } from "./cluster/local.ts";
import { accountGroup } from "./groups.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import type { Store } from "./store/store.ts";
import { sendRaw, upgradeTo } from "./testing/raw-socket.ts";
import { openClient } from "./testing/test-client.ts";
import { password, startTestServer } from "./testing/test-server.ts";

const notUrls = ["//", "http://[", "/\\", "//["];

test.each(notUrls)("a request for %s, which is not a URL, is answered, and the server survives", async (path) => {
  const { server, signIn } = await startTestServer(["ann"]);
  const plain = await sendRaw(server.url, [`GET ${path} HTTP/1.1`, "Host: localhost"]);
  expect(String(await once(plain, "data"))).toMatch(/^HTTP\/1\.1 426 /);
  plain.destroy();
  const socket = await sendRaw(server.url, upgradeTo(path));
  expect(String(await once(socket, "data"))).toMatch(/^HTTP\/1\.1 404 /);
  await signIn("ann");
});

test("on the http server of an app, upgrades to unknown paths are closed", async () => {
  const http = createHttpServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(() => void http.close());
  const { server } = await startTestServer([], { server: http, path: "/bonevalue" });
  const socket = await sendRaw(server.url, upgradeTo("/elsewhere"));
  expect(String(await once(socket, "data"))).toMatch(/^HTTP\/1\.1 404 /);
  const page = await fetch(server.url.replace("ws", "http"));
  expect(page.status).toBe(426);
});

test("a rejected socket is closed, even if the other side never ends", async () => {
  const http = createHttpServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(() => void http.close());
  const { server } = await startTestServer([], { server: http });
  const left = once(http, "connection").then(([socket]) => once(socket, "close"));
  const socket = await sendRaw(server.url, [...upgradeTo("/"), "Origin: https://evil.example"], { stays: true });
  onTestFinished(() => void socket.destroy());
  expect(String(await once(socket, "data"))).toMatch(/^HTTP\/1\.1 403 /);
  await left;
});

test("close does not wait for half a request", async () => {
  const { server } = await startTestServer();
  const slow = await sendRaw(server.url, ["GET / HTTP/1.1", "Host: localhost", "X-Slow: "], { end: "" });
  const cut = once(slow, "close");
  await once(await sendRaw(server.url, ["GET / HTTP/1.1", "Host: localhost"]), "data");
  await server.close();
  await cut;
});

test("on an app's http server without a port, clients can connect and links need a public URL", async () => {
  const path = join(tmpdir(), `bonevalue-${process.pid}.sock`);
  const http = createHttpServer().listen(path);
  await once(http, "listening");
  onTestFinished(() => void http.close());
  const { server } = await startTestServer([], { server: http, insecure: true });
  const socket = connect(path);
  onTestFinished(() => void socket.destroy());
  socket.write(`${upgradeTo("/").join("\r\n")}\r\n\r\n`);
  expect(String(await once(socket, "data"))).toMatch(/^HTTP\/1\.1 101 /);
  await expect(server.accounts.invite("ann@example.org")).rejects.toThrow("publicUrl");
});

test("request listeners that the app adds later answer other requests", async () => {
  const http = createHttpServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(() => void http.close());
  const { server } = await startTestServer([], { server: http });
  http.on("request", (_, response) => response.writeHead(418).end());
  expect((await fetch(server.url.replace("ws", "http"))).status).toBe(418);
});

test("a request listener that answers everything does not answer our pages, and no answer throws", async () => {
  const http = createHttpServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(() => void http.close());
  const { server } = await startTestServer([], { server: http, path: "/p2p" });
  const answered: (string | undefined)[] = [];
  http.on("request", ({ url }, response) => {
    answered.push(url);
    response.writeHead(404).end("the app");
  });
  const base = server.url.replace("ws", "http");
  const statuses = [];
  for (const [method, path] of [
    ["GET", "/healthz"],
    ["POST", "/healthz"],
    ["GET", "/metrics"],
    ["GET", "/invite"],
    ["GET", "/other"],
  ] as const)
    statuses.push((await fetch(base + path, { method })).status);
  expect(statuses).toEqual([200, 405, 200, 200, 404]);
  expect(answered).toEqual(["/p2p/other"]);
});

test.each(["before", "after"])(
  "a WebSocketServer of the app on another path, created %s ours, leaves our sockets alone",
  async (when) => {
    const http = createHttpServer().listen(0, "127.0.0.1");
    await once(http, "listening");
    onTestFinished(() => void http.close());
    if (when === "before") new WebSocketServer({ server: http, path: "/chat" });
    const { signIn, server } = await startTestServer(["ann"], { server: http, path: "/p2p" });
    if (when === "after") new WebSocketServer({ server: http, path: "/chat" });
    const ann = await signIn("ann");
    await ann.settled();
    const chat = await openClient(server.url.replace("/p2p", "/chat"));
    chat.socket.terminate();
  },
);

test("upgrades to other paths are left to the app's upgrade listeners", async () => {
  const http = createHttpServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(() => void http.close());
  http.on("upgrade", (request, stream) => {
    if (request.url === "/elsewhere") stream.end("HTTP/1.1 418 mine\r\n\r\n");
  });
  const { server } = await startTestServer([], { server: http, path: "/bonevalue" });
  const socket = await sendRaw(server.url, upgradeTo("/elsewhere"));
  expect(String(await once(socket, "data"))).toMatch(/^HTTP\/1\.1 418 mine/);
});

test("a socket above the limit is terminated if it does not close", async () => {
  const { server, open, clock } = await startTestServer([], { limits: { socketsPerAddress: 1 } });
  await open();
  const stays = await sendRaw(server.url, upgradeTo("/"));
  let received = "";
  stays.on("data", (chunk) => {
    received += chunk.toString("latin1");
  });
  const closed = once(stays, "close");
  await until(() => received.includes("rate-limited"));
  clock.advance(800);
  await closed;
});

test("WebSocket pings are answered and limited like messages", async () => {
  const { signIn, clock } = await startTestServer(["ann"]);
  const ann = await signIn("ann");
  let pongs = 0;
  ann.socket.on("pong", (bytes) => {
    expect(String(bytes)).toBe("are you there");
    pongs++;
  });
  for (let at = 0; at < 300; at++) ann.socket.ping("are you there");
  for (let at = 0; at < 300; at++) ann.socket.pong("I am");
  // The sign-in was the first of the burst.
  await until(() => pongs === 199);
  clock.advance(19);
  expect(pongs).toBe(199);
  clock.advance(1);
  await until(() => pongs === 200);
});

test("a message that announces more than 64 KiB is rejected before it is received", async () => {
  const { server } = await startTestServer();
  const socket = await sendRaw(server.url, upgradeTo("/"));
  await once(socket, "data");
  socket.write(Buffer.from([...[0x81, 0xff], ...[0, 0, 0, 0, 0, 1, 0, 1], ...[0, 0, 0, 0]]));
  // A close frame with 1009.
  expect([...(await once(socket, "data"))[0]].slice(0, 4)).toEqual([0x88, 2, 0x03, 0xf1]);
});

test("a message in more than 64 fragments closes its socket", async () => {
  const { signIn } = await startTestServer(["ann"]);
  const ann = await signIn("ann");
  for (let piece = 0; piece < 65; piece++) ann.socket.send(" ", { fin: false });
  expect(await ann.closed).toBe(1008);
});

test("a signal that is nested too deeply closes its sender's socket", async () => {
  const { signIn } = await startTestServer(["ann", "bob"]);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
  const say = (depth: number) =>
    ann.socket.send(`{"type":"peerRequest","data":{"to":"${bob.id}","signal":${nested(depth)}}}`);
  say(64);
  expect(JSON.stringify((await bob.next("peerRequest")).data.signal)).toBe(nested(64));
  say(20_000);
  expect((await ann.next("error")).data.code).toBe("protocol");
  expect(await ann.closed).toBe(1008);
  await bob.settled();
});

test("a signal from another node is checked again by the receiving node", async () => {
  const cluster = createLocalCluster();
  const { server, signIn } = await startTestServer(["ann", "bob"], { cluster });
  await server.accounts.add("eve", password);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  const node = await cluster.join({ message() {}, stale() {} });
  const { logins } = await node.online([accountGroup("", "bob")]);
  const relayed = (user: string, id: string) =>
    node.send(logins[0]!.node, {
      ...{ kind: "relay", type: "peerRequest", to: bob.id, signal: user },
      from: { id, group: accountGroup("", user), node: node.id, epoch: 1 },
    });
  relayed("eve", "0".repeat(32));
  relayed("ann", ann.id);
  expect((await bob.next("peerRequest")).data).toEqual({ from: ann.id, signal: "ann" });
});

test("concurrent sign-ins to one account stay within its limit of sockets", async () => {
  const gate = gated(createLocalCluster());
  const { signIn, open } = await startTestServer(["ann", "bob"], {
    cluster: gate.cluster,
    limits: { socketsPerAccount: 2 },
  });
  const bob = await signIn("bob");
  gate.shut();
  const clients = await Promise.all(Array.from({ length: 8 }, () => open()));
  for (const client of clients) client.send("authenticate", { version: 1, username: "ann", password });
  await until(() => gate.waiting() === 8);
  gate.open();
  const ends = await Promise.all(clients.map((client) => Promise.race([client.closed, client.next("peerList")])));
  expect(ends.filter((end) => end === 1013)).toHaveLength(6);
  await bob.settled();
  expect(bob.received.filter(({ type }) => type === "peerConnect")).toHaveLength(2);
});

test.each(["another page's", "one's own"])(
  "a session that ends by %s change of password cannot reconnect",
  async (whose) => {
    const gate = gated(createLocalCluster());
    const { signIn, open } = await startTestServer(["ann"], { cluster: gate.cluster });
    const [ann, other] = [await signIn("ann"), await signIn("ann")];
    gate.shut();
    const late = await open();
    late.send("authenticate", { version: 1, session: (whose === "one's own" ? ann : other).session });
    await until(() => gate.waiting() === 1);
    await ann.request("changePassword", { current: password, password: "a better secret" });
    gate.open();
    expect(await late.closed).toBe(4001);
    expect(late.received.map(({ type }) => type)).toEqual(["error"]);
  },
);

test("a user who is removed while signing in stays invisible and sees no one", async () => {
  const gate = gated(createLocalCluster());
  const { signIn, open, settled } = await startTestServer(["ann", "bob"], { cluster: gate.cluster });
  const ann = await signIn("ann");
  gate.shut();
  const bob = await open();
  bob.send("authenticate", { version: 1, username: "bob", password });
  await until(() => gate.waiting() === 1);
  expect((await ann.request("removeUser", { name: "Bob" })).type).toBe("removeResponse");
  gate.open();
  expect([(await bob.next("userList")).data, (await bob.next("peerList")).data]).toEqual([[], []]);
  await settled(ann);
  expect(ann.received.filter(({ type }) => type === "peerConnect")).toEqual([]);
});

test("a page that closes during sign-in leaves at once and is not lost", async () => {
  const gate = gated(createLocalCluster());
  const { signIn, open, logged } = await startTestServer(["ann", "bob"], { cluster: gate.cluster });
  const bob = await signIn("bob");
  gate.shut();
  const ann = await open();
  ann.send("authenticate", { version: 1, username: "ann", password });
  await until(() => gate.waiting() === 1);
  ann.socket.close(1001);
  await until(() => logged.some(([, message]) => message === "socket closed"));
  gate.open();
  expect((await bob.next("peerDisconnect")).lost).toBeUndefined();
});

test("a sign-in that fails or whose page closes leaves neither a session nor a device", async () => {
  const gate = gated(createLocalCluster());
  const store = await openSqliteStore(":memory:");
  const { signIn, open, logged } = await startTestServer(["ann"], {
    ...{ cluster: gate.cluster, store },
    limits: { socketsPerAccount: 2 },
  });
  const other = await signIn("ann");
  const known = await signIn("ann", { username: "ann", password, remember: true });
  const { data } = known.received.find(({ type }) => type === "setPeerId")!;
  for (const proof of [{ device: data.device }, { username: "ann", password, remember: true }]) {
    const late = await open();
    late.send("authenticate", { version: 1, ...proof });
    expect(await late.closed).toBe(1013);
  }
  other.send("bye", {});
  await other.closed;
  gate.shut();
  const closing = await open();
  closing.send("authenticate", { version: 1, session: known.session, fork: true });
  await until(() => gate.waiting() === 1);
  closing.socket.close(1001);
  await until(() => logged.some(([, message, { code }]) => message === "socket closed" && code === 1001));
  gate.open();
  await expect.poll(() => store.sessionsOfAccount!("ann")).toMatchObject([{ peer: known.id }]);
  expect(await store.devices!("ann")).toHaveLength(1);
  await known.settled();
});

test("a sign-in that overlaps a change of its password creates no session", async () => {
  const store = await openSqliteStore(":memory:");
  onTestFinished(store.close);
  let begun = () => {};
  let held: Promise<void> | undefined;
  const addSession: Store["addSession"] = async (...session) => {
    begun();
    await held;
    return store.addSession(...session);
  };
  const { signIn, open } = await startTestServer(["ann"], { store: { ...store, addSession } });
  const ann = await signIn("ann");
  const [underWay, changed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  [begun, held] = [underWay.resolve, changed.promise];
  const late = await open();
  late.send("authenticate", { version: 1, username: "ann", password });
  await underWay.promise;
  await ann.request("changePassword", { current: password, password: "a better secret" });
  changed.resolve();
  expect(await late.closed).toBe(1013);
  expect(late.received.map(({ type }) => type)).toEqual(["error"]);
});

/** A cluster that can delay the answers to claims, as a network may. */
function gated(cluster: Cluster) {
  let passage = Promise.withResolvers<void>();
  let waiting = 0;
  passage.resolve();
  const gate: Cluster = {
    async join(events) {
      const node = await cluster.join(events);
      return {
        ...node,
        async claim(group, peer, name) {
          waiting++;
          await passage.promise;
          waiting--;
          return node.claim(group, peer, name);
        },
      };
    },
  };
  return {
    cluster: gate,
    waiting: () => waiting,
    shut() {
      passage = Promise.withResolvers<void>();
    },
    open: () => passage.resolve(),
  };
}
