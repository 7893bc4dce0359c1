import { expect, test } from "vitest";
import { password, startTestServer } from "./testing/test-server.ts";

const inApp = (username: string, app: string) => [username, { username, password, app }] as const;

test("peers see and reach only peers of their app", async () => {
  const { signIn, settled } = await startTestServer(["ann", "bob"]);
  const elsewhere = await signIn(...inApp("bob", "chat"));
  const ann = await signIn(...inApp("ann", "todo"));
  expect(ann.peers).toEqual([]);
  const bob = await signIn(...inApp("bob", "todo"));
  expect(bob.peers).toEqual([{ name: "Ann", id: ann.id }]);
  const without = await signIn("ann");
  await settled(ann, bob, elsewhere, without);
  expect(ann.received.filter(({ type }) => type === "peerConnect")).toEqual([
    { type: "peerConnect", data: { name: "Bob", id: bob.id } },
  ]);
  for (const peer of [elsewhere, without]) expect(peer.received.some(({ type }) => type === "peerConnect")).toBe(false);
  expect((await elsewhere.request("peerRequest", { to: ann.id, signal: 1 })).data.code).toBe("unknown-peer");
  expect((await without.request("peerRequest", { to: ann.id, signal: 1 })).data.code).toBe("unknown-peer");
  bob.send("peerRequest", { to: ann.id, signal: 1 });
  expect((await ann.next("peerRequest")).data).toEqual({ from: bob.id, signal: 1 });
});

test("the server echoes the app in NFC, and rejects an invalid one", async () => {
  const { open } = await startTestServer(["ann"]);
  for (const [app, echo] of [
    ["cafe\u0301", "café"],
    [undefined, ""],
    ["\u{1F600}".repeat(64), "\u{1F600}".repeat(64)],
    ["a:b%3A", "a:b%3A"],
  ]) {
    const client = await open();
    client.send("authenticate", { version: 1, username: "ann", password, app });
    expect((await client.next("setPeerId")).data.app).toBe(echo);
  }
  for (const app of ["x".repeat(65), "\ud800", "a\0b"]) {
    const client = await open();
    client.send("authenticate", { version: 1, username: "ann", password, app });
    expect((await client.next("error")).data.code).toBe("invalid-request");
    expect(await client.closed).toBe(4001);
  }
});

test("accounts share their trust between apps: its beginning and its end reach all apps", async () => {
  const { server, signIn } = await startTestServer(["ann"]);
  await server.accounts.add("bob", password);
  const apps = ["todo", "chat"];
  const anns = await Promise.all(apps.map((app) => signIn(...inApp("ann", app))));
  const bobs = await Promise.all(apps.map((app) => signIn(...inApp("bob", app))));
  const { data } = await anns[0]!.request("requestToken", { name: "Bob" });
  await bobs[0]!.request("claimToken", { name: "Ann", token: data.token });
  for (const at of [0, 1]) {
    expect((await anns[at]!.next("userAdd")).data).toBe("Bob");
    expect((await anns[at]!.next("peerConnect")).data).toEqual({ name: "Bob", id: bobs[at]!.id });
    expect((await bobs[at]!.next("peerConnect")).data).toEqual({ name: "Ann", id: anns[at]!.id });
  }
  await bobs[1]!.request("removeUser", { name: "Ann" });
  for (const at of [0, 1]) {
    expect((await anns[at]!.next("peerDisconnect")).data).toBe(bobs[at]!.id);
    expect((await anns[at]!.next("userRemove")).data).toBe("Bob");
    expect((await bobs[at]!.next("userRemove")).data).toBe("Ann");
  }
});

test("a refreshed trust list of the app's reaches all apps", async () => {
  const friends = new Map([["ann", [] as string[]]]);
  const { server, signIn } = await startTestServer([], {
    authenticate: async (token) => ({ username: token }),
    trusted: async (username) =>
      (friends.get(username) ?? ["ann"]).map((other) => ({ username: other, alias: `my ${other}` })),
  });
  const apps = ["todo", "chat"];
  const anns = await Promise.all(apps.map((app) => signIn("ann", { token: "ann", app })));
  const bobs = await Promise.all(apps.map((app) => signIn("bob", { token: "bob", app })));
  friends.set("ann", ["bob"]);
  await server.refresh("ann");
  for (const at of [0, 1]) {
    expect((await anns[at]!.next("peerConnect")).data).toEqual({ name: "my bob", id: bobs[at]!.id });
    expect((await bobs[at]!.next("peerConnect")).data).toEqual({ name: "my ann", id: anns[at]!.id });
  }
});

test("a session belongs to its app", async () => {
  const { signIn, open, lose } = await startTestServer(["ann"]);
  const ann = await signIn(...inApp("ann", "todo"));
  await lose(ann);
  const thief = await open();
  thief.send("authenticate", { version: 1, session: ann.session, app: "chat" });
  expect((await thief.next("error")).data.code).toBe("unauthenticated");
  expect((await signIn("ann", { session: ann.session, app: "todo" })).id).toBe(ann.id);
});

test("a session of another app does not resume with a token either", async () => {
  const { signIn } = await startTestServer([], { authenticate: async (token) => ({ username: token }) });
  const ann = await signIn("ann", { token: "ann", app: "todo" });
  const other = await signIn("ann", { token: "ann", app: "chat", session: ann.session });
  expect(other.id).not.toBe(ann.id);
});

test("the sockets of an account are limited over all apps together", async () => {
  const { signIn, open } = await startTestServer(["ann"], { limits: { socketsPerAccount: 2 } });
  await signIn(...inApp("ann", "todo"));
  await signIn(...inApp("ann", "chat"));
  const third = await open();
  third.send("authenticate", { version: 1, username: "ann", password, app: "more" });
  expect((await third.next("error")).data.code).toBe("rate-limited");
});

test("a new password ends the sessions of an account in all apps", async () => {
  const { server, signIn } = await startTestServer(["ann"]);
  const anns = [await signIn(...inApp("ann", "todo")), await signIn(...inApp("ann", "chat"))];
  await server.accounts.setPassword("ann", "another password");
  for (const { closed } of anns) expect(await closed).toBe(4001);
});
