import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { openSqliteStore } from "./store/sqlite.ts";
import { password, startTestServer } from "./testing/test-server.ts";

test("sign-in sends the peer id, the users, the ICE servers and the peers, in this order", async () => {
  const { open, signIn, server } = await startTestServer(["ann", "bob"], { ice: [{ urls: "stun:stun.example.org" }] });
  const bob = await signIn("bob");
  const ann = await open();
  ann.send("authenticate", { version: 1, username: "ann", password });
  await ann.next("peerList");
  const id = ann.received[0]?.data.peerId;
  expect(ann.received).toEqual([
    {
      type: "setPeerId",
      data: {
        ...{ version: 1, peerId: id, username: "ann", session: expect.any(String), resumed: false },
        ...{ features: ["profiles", "stay", "devices"], app: "" },
      },
    },
    { type: "userList", data: ["Bob"] },
    { type: "iceServers", data: { servers: [{ urls: "stun:stun.example.org" }] } },
    { type: "peerList", data: [{ name: "Bob", id: bob.id }] },
  ]);
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(await bob.next("peerConnect")).toEqual({ type: "peerConnect", data: { name: "Ann", id } });
  expect(server.url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
});

test("two logins of one account see each other as Us", async () => {
  const { signIn } = await startTestServer(["ann"]);
  const first = await signIn("ann");
  const second = await signIn("ann");
  expect(second.peers).toEqual([{ name: "Us", id: first.id }]);
  expect((await first.next("peerConnect")).data).toEqual({ name: "Us", id: second.id });
});

test("the second peer of a user is announced like the first", async () => {
  const { signIn } = await startTestServer(["ann", "bob"]);
  const ann = await signIn("ann");
  const bobs = [await signIn("bob"), await signIn("bob"), await signIn("bob")];
  for (const bob of bobs) expect((await ann.next("peerConnect")).data).toEqual({ name: "Bob", id: bob.id });
  bobs[1]!.send("bye", {});
  expect((await ann.next("peerDisconnect")).data).toBe(bobs[1]!.id);
  bobs[0]!.send("bye", {});
  expect((await ann.next("peerDisconnect")).data).toBe(bobs[0]!.id);
});

test("a restart of the server loses no data", async () => {
  const folder = await mkdtemp(`${tmpdir()}/bonevalue-`);
  const store = `${folder}/server.db`;
  const before = await startTestServer(["ann", "bob"], { store });
  const ann = await before.signIn("ann");
  await before.server.close();
  const after = await startTestServer([], { store });
  const again = await after.signIn("ann", { session: ann.session });
  expect(again.id).toBe(ann.id);
  expect(again.users).toEqual(["Bob"]);
  await after.signIn("bob");
  await after.server.close();
  await rm(folder, { recursive: true });
});

test("of fifty concurrent claims of one token, one succeeds", async () => {
  const { server, signIn } = await startTestServer(["ann"]);
  const claimers = await Promise.all(
    Array.from({ length: 50 }, async (_, at) => {
      await server.accounts.add(`user${at}`, password);
      return signIn(`user${at}`);
    }),
  );
  const ann = await signIn("ann");
  const { token } = (await ann.request("requestToken", { name: "Friend" })).data;
  const answers = await Promise.all(claimers.map((peer) => peer.request("claimToken", { name: "Ann", token })));
  expect(answers.filter(({ type }) => type === "claimResponse")).toHaveLength(1);
  expect(answers.filter(({ data }) => data.code === "token-invalid")).toHaveLength(49);
});

test("the sender of a relayed signal is stamped, whatever the client says", async () => {
  const { signIn } = await startTestServer(["ann", "bob", "eve"]);
  const [ann, bob, eve] = [await signIn("ann"), await signIn("bob"), await signIn("eve")];
  eve.send("peerRequest", { to: bob.id, from: ann.id, signal: { sdp: "x", from: ann.id } });
  expect((await bob.next("peerRequest")).data).toEqual({ from: eve.id, signal: { sdp: "x", from: ann.id } });
});

test("a relay needs trust: the answers for an untrusted, an offline and an unknown peer are the same", async () => {
  const { server, signIn, settled } = await startTestServer(["ann", "bob"]);
  await server.accounts.add("eve", password);
  const [ann, bob, eve] = [await signIn("ann"), await signIn("bob"), await signIn("eve")];
  bob.send("bye", {});
  await ann.next("peerDisconnect");
  const offline = await ann.request("peerRequest", { to: bob.id, signal: 1 });
  const untrusted = await ann.request("peerRequest", { to: eve.id, signal: 1 });
  const invented = await ann.request("peerRequest", { to: "0".repeat(32), signal: 1 });
  expect(offline.data).toMatchObject({ code: "unknown-peer" });
  expect(untrusted.data).toEqual(offline.data);
  expect(invented.data).toEqual(offline.data);
  expect((await ann.request("peerRequest", { to: ann.id, signal: 1 })).data).toEqual(offline.data);
  await settled(ann, eve);
  expect(eve.received.filter(({ type }) => type === "peerRequest")).toEqual([]);
});

test("a refused relay without an id is not answered", async () => {
  const { signIn } = await startTestServer(["ann"]);
  const ann = await signIn("ann");
  ann.send("peerRequest", { to: "0".repeat(32), signal: 1 });
  await ann.settled();
  expect(ann.received.filter(({ type }) => type === "error")).toEqual([]);
});

test.each([
  ["not JSON", "{"],
  ["no frame", '["authenticate"]'],
  ["an unknown type", '{"type":"toString","data":{}}'],
  ["wrong data", '{"type":"peerRequest","data":{"to":7}}'],
  ["an id that is none", '{"type":"peerRequest","data":{"to":"x"},"id":0}'],
  ["a second sign-in", '{"type":"authenticate","data":{"version":1,"session":"x"}}'],
])("a malformed frame, %s, closes its socket and not the server", async (_, frame) => {
  const { signIn } = await startTestServer(["ann", "bob"]);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  ann.socket.send(frame);
  const error = await ann.next("error");
  expect(error.data.code).toBe("protocol");
  expect(error.id).toBeUndefined();
  expect(await ann.closed).toBe(1008);
  await bob.settled();
});

test("a binary frame is malformed", async () => {
  const { signIn } = await startTestServer(["ann"]);
  const ann = await signIn("ann");
  ann.socket.send(Buffer.from('{"type":"ping"}'));
  expect(await ann.closed).toBe(1008);
});

test("peer ids and sessions are random and never repeat", async () => {
  const { signIn } = await startTestServer(["ann"]);
  const peers = [await signIn("ann"), await signIn("ann"), await signIn("ann")];
  expect(new Set(peers.map(({ id }) => id)).size).toBe(3);
  for (const { id, session } of peers) {
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(Buffer.from(session, "base64url")).toHaveLength(32);
  }
});

test("every invited user chooses a password of their own", async () => {
  const { server, open, signIn } = await startTestServer();
  const people: string[] = [];
  for (const email of ["ann@example.org", "bob@example.org"]) {
    const { link, expires } = await server.accounts.invite(email);
    expect(expires.getTime()).toBeGreaterThan(Date.now());
    const invite = new URL(link).hash.slice(1);
    const client = await open();
    client.send("acceptInvite", { version: 1, invite, password: `secret of ${email}` });
    people.push((await client.next("setPeerId")).data.username);
    const again = await open();
    again.send("acceptInvite", { version: 1, invite, password: "another secret" });
    expect((await again.next("error")).data.code).toBe("token-invalid");
    expect(await again.closed).toBe(4001);
  }
  expect(people).toEqual(["ann@example.org", "bob@example.org"]);
  await signIn("x", { username: "Ann@Example.org", password: "secret of ann@example.org" });
  const wrong = await open();
  wrong.send("authenticate", { version: 1, username: "bob@example.org", password: "secret of ann@example.org" });
  expect(await wrong.closed).toBe(4001);
});

test("a failing store does not stop the server: the client gets an error and may retry", async () => {
  const real = await openSqliteStore(":memory:");
  let broken = false;
  const store = new Proxy(real, {
    get: (target, name: keyof typeof real) => (broken ? () => Promise.reject(new Error("disk full")) : target[name]),
  });
  const { signIn, open } = await startTestServer(["ann"], { store });
  const ann = await signIn("ann");
  broken = true;
  expect((await ann.request("requestToken", { name: "Bob" })).data.code).toBe("unreachable");
  const other = await open();
  other.send("authenticate", { version: 1, session: ann.session });
  const { data } = await other.next("error");
  expect(data).toMatchObject({ code: "unreachable", after: 5_000 });
  expect(JSON.stringify(data)).not.toContain("disk full");
  expect(await other.closed).toBe(1013);
  broken = false;
  expect((await ann.request("requestToken", { name: "Bob" })).type).toBe("tokenResponse");
});

test("the server sets no cookie and ignores cookies at sign-in", async () => {
  const { server, signIn, open } = await startTestServer(["ann"]);
  const ann = await signIn("ann");
  const client = await open({ headers: { cookie: `session=${ann.session}` } });
  client.send("authenticate", { version: 1, session: "" });
  expect((await client.next("error")).data.code).toBe("unauthenticated");
  expect(await upgradeHeaders(server.url)).not.toHaveProperty("set-cookie");
});

async function upgradeHeaders(url: string): Promise<object> {
  const socket = new WebSocket(url);
  const [response] = await once(socket, "upgrade");
  socket.terminate();
  return response.headers;
}
