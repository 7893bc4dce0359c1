import { expect, test } from "vitest";
import { password, signedIn, startTestServer } from "./testing/test-server.ts";

const disconnects = (peer: { received: readonly { type: string }[] }) =>
  peer.received.filter(({ type }) => type === "peerDisconnect");

test("a broken socket is announced as lost after the grace period, not before", async () => {
  const { signIn, lose, clock, settled } = await startTestServer(["ann", "bob"]);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  await lose(bob);
  clock.advance(9_999);
  await settled(ann);
  expect(disconnects(ann)).toEqual([]);
  clock.advance(1);
  expect(await ann.next("peerDisconnect")).toEqual({ type: "peerDisconnect", data: bob.id, lost: true });
});

test("a client that reconnects within the grace period keeps its peer id unannounced", async () => {
  const { signIn, lose, clock, settled } = await startTestServer(["ann", "bob"]);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  const count = ann.received.length + 1;
  await lose(bob);
  clock.advance(9_000);
  const again = await signIn("bob", { session: bob.session });
  expect(again).toMatchObject({ id: bob.id, session: bob.session, resumed: true });
  clock.advance(20_000);
  await settled(ann);
  expect(ann.received.slice(count).filter(({ type }) => type.startsWith("peer"))).toEqual([]);
  ann.send("peerRequest", { to: bob.id, signal: 1 });
  expect((await again.next("peerRequest")).data).toEqual({ from: ann.id, signal: 1 });
});

test("a client that reconnects after the grace period keeps its peer id and is announced again", async () => {
  const { signIn, lose, clock } = await startTestServer(["ann", "bob"]);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  await lose(bob);
  clock.advance(10_000);
  await ann.next("peerDisconnect");
  const again = await signIn("bob", { session: bob.session });
  expect(again).toMatchObject({ id: bob.id, resumed: false });
  expect((await ann.next("peerConnect")).data).toEqual({ name: "Bob", id: bob.id });
});

test("a second socket takes over its session: the older one closes with 4002, unannounced", async () => {
  const { signIn, settled } = await startTestServer(["ann", "bob"]);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  const count = ann.received.length + 1;
  const again = await signIn("bob", { session: bob.session });
  expect(again).toMatchObject({ id: bob.id, resumed: true });
  expect(await bob.closed).toBe(4002);
  await settled(ann, again);
  expect(ann.received.slice(count).filter(({ type }) => type.startsWith("peer"))).toEqual([]);
});

test("of many sockets that resume one session at once, one stays", async () => {
  const { signIn, open } = await startTestServer(["ann"]);
  const ann = await signIn("ann");
  const sockets = await Promise.all(Array.from({ length: 20 }, () => open()));
  for (const socket of sockets) socket.send("authenticate", { version: 1, session: ann.session });
  const codes: (number | undefined)[] = sockets.map(() => undefined);
  sockets.forEach((socket, at) => void socket.closed.then((code) => (codes[at] = code)));
  await expect.poll(() => codes.filter((code) => code === 4002)).toHaveLength(19);
  await sockets[codes.indexOf(undefined)]!.settled();
});

test("a leave is announced at once and ends the session", async () => {
  const { signIn, open } = await startTestServer(["ann", "bob"]);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  bob.send("bye", {});
  expect(await ann.next("peerDisconnect")).toEqual({ type: "peerDisconnect", data: bob.id });
  expect(await bob.closed).toBe(1000);
  const late = await open();
  late.send("authenticate", { version: 1, session: bob.session });
  expect((await late.next("error")).data.code).toBe("unauthenticated");
  expect(await late.closed).toBe(4001);
});

test.each([
  [
    "a bye that may come back",
    (bob: { send: (type: string, data: object) => void }) => bob.send("bye", { back: true }),
  ],
  ["a close with 1000", (bob: any) => bob.socket.close(1000)],
  ["a close with 1001", (bob: any) => bob.socket.close(1001)],
])("%s is announced at once, and the session stays", async (_, leave) => {
  const { signIn } = await startTestServer(["ann", "bob"]);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  leave(bob);
  expect(await ann.next("peerDisconnect")).toEqual({ type: "peerDisconnect", data: bob.id });
  expect((await signIn("bob", { session: bob.session })).id).toBe(bob.id);
});

test("a socket that its client closes with 4000 has the grace period", async () => {
  const { signIn, lose, clock, settled } = await startTestServer(["ann", "bob"]);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  bob.socket.close(4000);
  await lose(bob);
  await settled(ann);
  expect(disconnects(ann)).toEqual([]);
  clock.advance(10_000);
  expect(await ann.next("peerDisconnect")).toMatchObject({ data: bob.id, lost: true });
});

test("a peer within its grace period is still listed, and signals to it are not answered", async () => {
  const { signIn, lose } = await startTestServer(["ann", "bob"]);
  const bob = await signIn("bob");
  await lose(bob);
  const ann = await signIn("ann");
  expect(ann.peers).toEqual([{ name: "Bob", id: bob.id }]);
  ann.send("peerRequest", { to: bob.id, signal: 1 }, 99);
  await ann.settled();
  expect(ann.received.filter(({ id }) => id === 99)).toEqual([]);
});

test("a claim is announced to all sessions of both users: first the user, then its peers, then the answer", async () => {
  const { server, signIn } = await startTestServer(["ann"]);
  await server.accounts.add("bob", password);
  const [ann1, ann2, bob] = [await signIn("ann"), await signIn("ann"), await signIn("bob")];
  const { token, expires } = (await ann1.request("requestToken", { name: "Robert" })).data;
  expect(Date.parse(expires)).toBeGreaterThan(Date.now());
  const from = bob.received.length;
  expect(await bob.request("claimToken", { name: "Ännchen", token: `${token}.whatever` })).toMatchObject({
    type: "claimResponse",
    data: { name: "Ännchen" },
  });
  expect(bob.received.slice(from).map(({ type, data }) => [type, data.name ?? data])).toEqual([
    ["userAdd", "Ännchen"],
    ["peerConnect", "Ännchen"],
    ["peerConnect", "Ännchen"],
    ["claimResponse", "Ännchen"],
  ]);
  for (const ann of [ann1, ann2]) {
    expect((await ann.next("userAdd")).data).toBe("Robert");
    expect((await ann.next("peerConnect")).data).toEqual({ name: "Robert", id: bob.id });
  }
  bob.send("peerRequest", { to: ann2.id, signal: 1 });
  expect((await ann2.next("peerRequest")).data.from).toBe(bob.id);
});

test("a revocation takes effect at once: peers are removed, then the user, on both sides, and no signal passes", async () => {
  const { signIn, settled } = await startTestServer(["ann", "bob"]);
  const [ann, bob1, bob2] = [await signIn("ann"), await signIn("bob"), await signIn("bob")];
  await settled(ann, bob1);
  const from = ann.received.length;
  expect((await ann.request("removeUser", { name: "Bob" })).data).toEqual({ name: "Bob" });
  const told = ann.received.slice(from).map(({ type, data, lost }) => [type, data, lost]);
  expect(told.slice(0, 2).toSorted()).toEqual(
    [
      ["peerDisconnect", bob1.id, undefined],
      ["peerDisconnect", bob2.id, undefined],
    ].toSorted(),
  );
  expect(told.slice(2).map(([type]) => type)).toEqual(["userRemove", "removeResponse"]);
  expect((await bob1.next("peerDisconnect")).data).toBe(ann.id);
  expect((await bob1.next("userRemove")).data).toBe("Ann");
  expect((await bob2.request("peerRequest", { to: ann.id, signal: 1 })).data.code).toBe("unknown-peer");
  expect((await ann.request("removeUser", { name: "Bob" })).data.code).toBe("alias-unknown");
});

test("a changed password ends all other sessions and the old secret, and the socket goes on", async () => {
  const { signIn, open, settled } = await startTestServer(["ann", "bob"]);
  const [ann, other, bob] = [await signIn("ann"), await signIn("ann"), await signIn("bob")];
  const answer = await ann.request("changePassword", { current: password, password: "a better secret" });
  expect(await other.closed).toBe(4001);
  expect(await bob.next("peerDisconnect")).toEqual({ type: "peerDisconnect", data: other.id });
  await settled(ann);
  for (const proof of [{ session: ann.session }, { session: other.session }, { username: "ann", password }]) {
    const late = await open();
    late.send("authenticate", { version: 1, ...proof });
    expect(await late.closed).toBe(4001);
  }
  expect((await signIn("ann", { session: answer.data.session })).id).toBe(ann.id);
  await signIn("ann", { username: "ann", password: "a better secret" });
});

test("a wrong current password is an error and changes nothing", async () => {
  const { signIn } = await startTestServer(["ann"]);
  const ann = await signIn("ann");
  const answer = await ann.request("changePassword", { current: "wrong", password: "a better secret" });
  expect(answer.data.code).toBe("unauthenticated");
  const short = await ann.request("changePassword", { current: password, password: "short" });
  expect(short.data.code).toBe("invalid-request");
  await signIn("ann");
});

test("a removed account disappears for all users at once", async () => {
  const { server, signIn } = await startTestServer(["ann", "bob"]);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  await server.accounts.remove("bob");
  expect(await bob.closed).toBe(4001);
  expect((await ann.next("peerDisconnect")).data).toBe(bob.id);
  expect((await ann.next("userRemove")).data).toBe("Bob");
});

test("names such as __proto__ are valid users and aliases", async () => {
  const { server, signIn } = await startTestServer();
  await server.accounts.add("__proto__", password);
  await server.accounts.add("constructor", password);
  await server.accounts.trust("__proto__", "toString", "constructor", "__proto__");
  const one = await signIn("__proto__");
  const two = await signIn("constructor");
  expect(two).toMatchObject({ users: ["__proto__"], peers: [{ name: "__proto__", id: one.id }] });
  expect((await one.next("peerConnect")).data).toEqual({ name: "toString", id: two.id });
  two.socket.send(`{"type":"peerRequest","data":{"to":"${one.id}","signal":{"__proto__":{"x":1}}}}`);
  await one.next("peerRequest");
  expect(Object.hasOwn(one.received.at(-1)!.data.signal, "__proto__")).toBe(true);
  expect((await two.request("removeUser", { name: "constructor" })).data.code).toBe("alias-unknown");
  expect((await two.request("removeUser", { name: "__proto__" })).type).toBe("removeResponse");
});

test("a session lasts while it has a socket, and 24 hours without one", async () => {
  const { signIn, lose, clock, open } = await startTestServer(["ann"], {
    limits: { idleTimeout: Number.POSITIVE_INFINITY },
  });
  const ann = await signIn("ann");
  const hour = 3_600_000;
  for (let passed = 0; passed < 30; passed++) {
    clock.advance(hour);
    await ann.settled();
  }
  await lose(ann);
  clock.advance(23 * hour);
  const again = await signIn("ann", { session: ann.session });
  await lose(again);
  clock.advance(25 * hour);
  const late = await open();
  late.send("authenticate", { version: 1, session: ann.session });
  expect(await late.closed).toBe(4001);
});

test("a session with a shorter lifetime also lasts while it has a socket", async () => {
  const minute = 60_000;
  const limits = { idleTimeout: Number.POSITIVE_INFINITY, sessionAge: 10 * minute };
  const { signIn, lose, clock } = await startTestServer(["ann"], { limits });
  const ann = await signIn("ann");
  for (let passed = 0; passed < 90; passed++) {
    clock.advance(minute);
    await ann.settled();
  }
  await lose(ann);
  expect((await signIn("ann", { session: ann.session })).id).toBe(ann.id);
});

test("an older version is rejected with 4003, a newer one is accepted", async () => {
  const { open } = await startTestServer(["ann"]);
  const old = await open();
  old.send("authenticate", { version: 0, username: "ann", password });
  expect((await old.next("error")).data.code).toBe("incompatible");
  expect(await old.closed).toBe(4003);
  const newer = await open();
  newer.send("authenticate", { version: 2, username: "ann", password });
  expect((await newer.next("setPeerId")).data.version).toBe(1);
});

test("invalid aliases get an error, and the socket stays open", async () => {
  const { signIn } = await startTestServer(["ann", "bob"]);
  const ann = await signIn("ann");
  const bad = [
    "",
    "*",
    "Us",
    "0123456789abcdef".repeat(2),
    "0123456789ABCDEF".repeat(2),
    "a".repeat(65),
    "a\u200bb",
    "a\nb",
  ];
  const joined = ["an\u200cn", "a\u200d", "\u200dسلام", "👩\u200d"];
  const blank = [" ", "\u00a0\u3000", "\u2800"];
  const ignorable = ["\u3164", "\u115f", "Bob\u034f", "Bob\ufe00", "Us\ufe0f", "*\ufe0f", "Bob\u{e0100}", "B\u180bob"];
  for (const name of [...bad, ...joined, ...blank, ...ignorable])
    expect((await ann.request("requestToken", { name })).data.code).toBe("alias-reserved");
  expect((await ann.request("requestToken", { name: "Bob" })).data.code).toBe("alias-taken");
  for (const name of ["us", "toString", "𝒜".repeat(64)])
    expect((await ann.request("requestToken", { name })).type).toBe("tokenResponse");
});

test("aliases are normalized, and may contain joiners and variation selectors where the script needs them", async () => {
  const { signIn } = await startTestServer(["ann", "bob"]);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  const words = ["ක්\u200dරීඩා", "می\u200cخواهم", "അവന്\u200d", "হঠাত্\u200d"];
  const emoji = ["👩\u200d💻", "👩🏽\u200d🚀", "❤️\u200d🔥", "❤\ufe0f", "1\ufe0f\u20e3"];
  const variants = ["葛\u{e0100}城", "ᠠ\u180bᠨ"];
  for (const alias of [...words, ...emoji, ...variants, "Ann Lee"])
    expect((await ann.request("requestToken", { name: alias })).type).toBe("tokenResponse");
  await ann.request("removeUser", { name: "Bob" });
  const { token } = (await ann.request("requestToken", { name: "Zoe\u0308" })).data;
  expect((await bob.request("claimToken", { name: "Rene\u0301", token })).type).toBe("claimResponse");
  expect((await ann.next("userAdd")).data).toBe("Zo\u00eb");
  expect((await bob.next("userAdd")).data).toBe("Ren\u00e9");
  expect((await ann.request("removeUser", { name: "Zoe\u0308" })).type).toBe("removeResponse");
});

test("unknown fields are ignored", async () => {
  const { open } = await startTestServer(["ann"]);
  const client = await open();
  client.socket.send(
    JSON.stringify({ type: "authenticate", data: { version: 1, username: "ann", password, more: 1 }, extra: [] }),
  );
  await client.next("peerList");
  await signedIn(await open(), { username: "ann", password, also: true });
});
