import { EventEmitter, once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { hash } from "@node-rs/argon2";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { until } from "../tools/eventually.ts";
import { createPasswords } from "./passwords.ts";
import { createServer } from "./server.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import { selfSigned } from "./testing/certificate.ts";
import { sendRaw, upgradeTo } from "./testing/raw-socket.ts";
import { recordCalls } from "./testing/recording-store.ts";
import type { TestClient } from "./testing/test-client.ts";
import { password, signedIn, startTestServer } from "./testing/test-server.ts";

const minute = 60_000;

/** Resolves to the error and the close code of a failed sign-in. */
async function refused(client: TestClient, proof: object): Promise<{ code: string; close: number; after?: number }> {
  client.send("authenticate", { version: 1, ...proof });
  const { data } = await client.next("error");
  return { ...data, close: await client.closed };
}

// ── credentials ──

test("an unknown user and a wrong password get the same answer", async () => {
  const { open } = await startTestServer(["ann"]);
  const wrong = await refused(await open(), { username: "ann", password: "wrong" });
  const unknown = await refused(await open(), { username: "nobody", password: "wrong" });
  expect(wrong).toMatchObject({ code: "unauthenticated", close: 4001 });
  expect(unknown).toEqual(wrong);
});

test("an unknown user takes as long as a wrong password", async () => {
  const passwords = await createPasswords(10);
  const known = await passwords.hash("right");
  // The shortest processor time, which does not depend on other load of the machine.
  const time = async (hash: string | undefined) => {
    const began = process.cpuUsage();
    expect(await passwords.verify(hash, "wrong")).toBe(false);
    const { user, system } = process.cpuUsage(began);
    return user + system;
  };
  const times = { known: [] as number[], unknown: [] as number[] };
  for (let round = 0; round < 15; round++) {
    times.known.push(await time(known));
    times.unknown.push(await time(undefined));
  }
  const ratio = Math.min(...times.unknown) / Math.min(...times.known);
  // An answer without a hash would take a hundredth of the time.
  expect(ratio).toBeGreaterThan(0.6);
  expect(ratio).toBeLessThan(1.6);
});

test("an account without a password cannot be signed in to with any", async () => {
  const store = await openSqliteStore(":memory:");
  const { open } = await startTestServer([], { store });
  await store.addAccount("ann", undefined);
  expect((await refused(await open(), { username: "ann", password: "" })).code).toBe("unauthenticated");
});

test("an app cannot set a password with fewer than 8 characters", async () => {
  const { server, signIn } = await startTestServer(["ann"]);
  const short = expect.objectContaining({ message: "A password has at least 8 characters." });
  await expect(server.accounts.add("bob", "seven 7")).rejects.toEqual(short);
  await expect(server.accounts.setPassword("ann", "seven 7")).rejects.toEqual(short);
  expect(await server.accounts.list()).toEqual(["ann"]);
  await signIn("ann");
});

test("an account with a shorter password, of an earlier version, can sign in", async () => {
  const store = await openSqliteStore(":memory:");
  const { signIn } = await startTestServer([], { store });
  await store.addAccount("ann", await (await createPasswords(1)).hash("short"));
  const ann = await signIn("ann", { username: "ann", password: "short" });
  const answer = await ann.request("changePassword", { current: "short", password });
  expect(answer.type).toBe("passwordResponse");
});

test("a password of more than 1024 bytes is rejected without hashing", async () => {
  const { signIn, open } = await startTestServer(["ann"], { limits: { firstFrameSize: 65_536 } });
  const ann = await signIn("ann");
  const longest = "é".repeat(512);
  expect((await ann.request("changePassword", { current: password, password: `${longest}x` })).data.code).toBe(
    "invalid-request",
  );
  expect((await ann.request("changePassword", { current: password, password: longest })).type).toBe("passwordResponse");
  await signIn("ann", { username: "ann", password: longest });
  expect((await refused(await open(), { username: "ann", password: "x".repeat(60_000) })).code).toBe("unauthenticated");
  let hashed = 0;
  const passwords = await createPasswords(1, () => hashed++);
  expect(await passwords.verify(undefined, "x".repeat(1_024))).toBe(false);
  expect(await passwords.verify(undefined, "x".repeat(1_025))).toBe(false);
  expect(hashed).toBe(1);
});

test("a hash weaker than the present policy is replaced at sign-in", async () => {
  const store = await openSqliteStore(":memory:");
  const weak = await hash(password, { memoryCost: 1_024, timeCost: 1 });
  await store.addAccount("ann", weak);
  const { signIn } = await startTestServer([], { store });
  await signIn("ann");
  const strong = (await store.account("ann"))?.password;
  expect(strong).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  await signIn("ann");
  expect((await store.account("ann"))?.password).toBe(strong);
});

test("secrets are stored as hashes only", async () => {
  const { store, calls } = recordCalls(await openSqliteStore(":memory:"));
  const { server, signIn } = await startTestServer(["ann", "bob"], { store });
  const ann = await signIn("ann");
  const { token } = (await ann.request("requestToken", { name: "Cat" })).data;
  const { link } = await server.accounts.invite("dan@example.org");
  const device = (await signIn("ann", { username: "ann", password, remember: true })).received[0]!.data.device;
  const changed = await ann.request("changePassword", { current: password, password: "another secret" });
  const written = JSON.stringify(calls);
  const secrets = [password, "another secret", ann.session, changed.data.session, token, new URL(link).hash.slice(1)];
  for (const secret of [...secrets, device]) expect(written).not.toContain(secret);
  expect(calls.map(([method]) => method)).toContain("addInvitation");
});

test("nothing secret is logged", async () => {
  const { signIn, open, logged } = await startTestServer(["ann", "bob"]);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  const { token } = (await ann.request("requestToken", { name: "Cat" })).data;
  await bob.request("claimToken", { name: "x", token });
  const device = (await signIn("ann", { username: "ann", password, remember: true })).received[0]!.data.device;
  await (await signIn("ann", { device })).break();
  ann.send("peerRequest", { to: bob.id, signal: { sdp: "a secret offer" } });
  await refused(await open(), { username: "ann", password: "a wrong guess" });
  await ann.break();
  const lines = JSON.stringify(logged);
  for (const secret of [ann.session, token, device, "a secret offer", "a wrong guess", password])
    expect(lines).not.toContain(secret);
});

// ── limits on guessing ──

test("after too many failures for one account from one address, attempts are refused unchecked, and no live session is locked out", async () => {
  const { open, signIn, clock } = await startTestServer(["ann", "bob"], { limits: { failuresPerAccount: 3 } });
  const ann = await signIn("ann");
  for (let guess = 0; guess < 3; guess++) await refused(await open(), { username: "ann", password: "wrong" });
  const late = await refused(await open(), { username: "ann", password });
  expect(late).toMatchObject({ code: "rate-limited", close: 1013 });
  expect(late.after).toBeGreaterThan(0);
  expect(late.after).toBeLessThanOrEqual(minute);
  await ann.settled();
  await signIn("ann", { session: ann.session });
  await signIn("bob");
  clock.advance(minute);
  await signIn("ann");
});

test("failures are counted for each IPv6 /64 and IPv4 address, and a victim elsewhere signs in", async () => {
  const { open, signIn } = await startTestServer(["ann"], {
    proxies: ["127.0.0.1"],
    limits: { failuresPerAccount: 2, failuresPerAddress: 3 },
  });
  const from = (address: string) => open({ headers: { "x-forwarded-for": address } });
  const guess = async (address: string, username = "ann") =>
    (await refused(await from(address), { username, password: "wrong" })).code;
  expect(await guess("2001:db8:1:2::1")).toBe("unauthenticated");
  expect(await guess("2001:db8:1:2:ffff::9")).toBe("unauthenticated");
  expect(await guess("2001:db8:1:2:aaaa::3")).toBe("rate-limited");
  expect(await guess("2001:db8:1:3::1")).toBe("unauthenticated");
  expect(await guess("2001:db8:1:2::1", "x")).toBe("unauthenticated");
  expect(await guess("2001:db8:1:2::1", "y")).toBe("rate-limited");
  await signedIn(await from("198.51.100.7"), { username: "ann", password });
  await signIn("ann");
});

test("concurrent guesses are counted before they are checked", async () => {
  const { open } = await startTestServer(["ann"], { limits: { failuresPerAccount: 5 } });
  const clients = await Promise.all(Array.from({ length: 30 }, () => open()));
  const codes = await Promise.all(clients.map((client) => refused(client, { username: "ann", password: "wrong" })));
  expect(codes.filter(({ code }) => code === "unauthenticated")).toHaveLength(5);
});

test("a successful sign-in does not count", async () => {
  const { signIn } = await startTestServer(["ann"], { limits: { failuresPerAccount: 2, failuresPerAddress: 2 } });
  for (let at = 0; at < 6; at++) await signIn("ann");
});

test("guessing the current password is limited too", async () => {
  const { signIn } = await startTestServer(["ann"], { limits: { failuresPerAccount: 2 } });
  const ann = await signIn("ann");
  const guess = async () =>
    (await ann.request("changePassword", { current: "wrong", password: "long enough" })).data.code;
  expect([await guess(), await guess(), await guess()]).toEqual(["unauthenticated", "unauthenticated", "rate-limited"]);
  await ann.settled();
});

test("two passwords are hashed at a time, and a full queue rejects more", async () => {
  const passwords = await createPasswords(3);
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => passwords.verify(undefined, "x")));
  const failed = outcomes.filter((outcome) => outcome.status === "rejected");
  expect(failed).toHaveLength(3);
  expect(failed[0]?.reason).toMatchObject({ code: "rate-limited", close: 1013 });
  expect(await passwords.verify(undefined, "x")).toBe(false);
});

// ── invitations and tokens ──

test("an invitation is 256 random bits in a link's fragment, works once, and expires", async () => {
  const { server, open, clock } = await startTestServer([], { publicUrl: "https://bv.example.org/p2p/" });
  const { link, expires } = await server.accounts.invite("ann@example.org");
  const url = new URL(link);
  expect([url.origin, url.pathname, url.search]).toEqual(["https://bv.example.org", "/p2p/invite", ""]);
  expect(Buffer.from(url.hash.slice(1), "base64url")).toHaveLength(32);
  clock.advance(expires.getTime() - clock.now());
  const late = await open();
  late.send("acceptInvite", { version: 1, invite: url.hash.slice(1), password: "long enough" });
  expect((await late.next("error")).data.code).toBe("token-invalid");
  expect(await late.closed).toBe(4001);
});

test("a password that is too short does not use up the invitation", async () => {
  const { server, open } = await startTestServer();
  const invite = new URL((await server.accounts.invite("ann@example.org")).link).hash.slice(1);
  const short = await open();
  short.send("acceptInvite", { version: 1, invite, password: "short" });
  expect((await short.next("error")).data.code).toBe("invalid-request");
  expect(await short.closed).toBe(4001);
  const better = await open();
  better.send("acceptInvite", { version: 1, invite, password: "long enough" });
  expect((await better.next("setPeerId")).data.username).toBe("ann@example.org");
});

test("an invitation gets the same answer whether or not the address has an account, without waiting for the mail", async () => {
  const mailed: string[] = [];
  const { server, signIn } = await startTestServer(["ann"], {
    mail: (to) => {
      mailed.push(to);
      return new Promise(() => {});
    },
  });
  await server.accounts.add("bob@example.org", password);
  const ann = await signIn("ann");
  const known = await ann.request("inviteUser", { email: "bob@example.org" });
  const unknown = await ann.request("inviteUser", { email: "cat@example.org" });
  expect([known.type, known.data]).toEqual([unknown.type, unknown.data]);
  expect(unknown).toMatchObject({ type: "inviteResponse", data: {} });
  await until(() => mailed.length > 0);
  await ann.settled();
  expect(mailed).toEqual(["cat@example.org"]);
  const names = { alias: "A", as: "Annie" };
  const knownAgain = await ann.request("inviteUser", { email: "bob@example.org", ...names });
  const unknownAgain = await ann.request("inviteUser", { email: "dan@example.org", ...names });
  expect([knownAgain.type, knownAgain.data]).toEqual([unknownAgain.type, unknownAgain.data]);
  expect(knownAgain).toMatchObject({ type: "inviteResponse", data: { alias: "A" } });
  await until(() => mailed.length === 3);
});

test("the answer to an invitation waits for no look-up of the address", async () => {
  const store = await openSqliteStore(":memory:");
  let lookups = 0;
  const { signIn } = await startTestServer(["ann"], {
    store: {
      ...store,
      account: (name) => (name.includes("@") ? new Promise(() => lookups++) : store.account(name)),
    },
  });
  const ann = await signIn("ann");
  const answer = await ann.request("inviteUser", { email: "bob@example.org", alias: "Bob" });
  expect(answer.type).toBe("inviteResponse");
  await until(() => lookups === 1);
});

test("an invitation is refused for reserved and used aliases, for the own address, and for `as` alone", async () => {
  const { server, signIn } = await startTestServer(["ann", "bob"], {
    limits: { frameBurst: 1_000, frameRate: 1_000 },
  });
  await server.accounts.add("ann@example.org", password);
  const ann = await signIn("ann");
  const own = await signIn("ann@example.org");
  const code = async (data: object, from = ann) =>
    (await from.request("inviteUser", { email: "cat@example.org", ...data })).data.code;
  for (const alias of ["*", "Us", "", "0".repeat(32), "a\u202Eb", "a\nb", "a\u2028b", "x".repeat(65)]) {
    expect([alias, await code({ alias })]).toEqual([alias, "alias-reserved"]);
    expect([alias, await code({ alias: "Cat", as: alias })]).toEqual([alias, "alias-reserved"]);
  }
  expect(await code({ alias: "Bob" })).toBe("alias-taken");
  expect(await code({ as: "Ann" })).toBe("invalid-request");
  expect(await code({ alias: "Me", email: "Ann@example.org" }, own)).toBe("invalid-request");
  expect(await code({ alias: "Cat" })).toBeUndefined();
});

test("a guessed invitation counts as a failed sign-in, also on the page", async () => {
  const { server, open } = await startTestServer([], { limits: { failuresPerAddress: 2 } });
  const page = `${server.url.replace("ws", "http")}/invite`;
  const ask = async (body: string) => (await fetch(page, { method: "POST", body })).status;
  const { link } = await server.accounts.invite("ann@example.org");
  const invite = new URL(link).hash.slice(1);
  for (let round = 0; round < 5; round++) expect(await ask(invite)).toBe(200);
  expect([await ask("guess"), await ask(""), await ask("guess"), await ask(invite)]).toEqual([404, 404, 429, 429]);
  const client = await open();
  client.send("acceptInvite", { version: 1, invite, password });
  expect((await client.next("error")).data.code).toBe("rate-limited");
});

test("accepting with the password of an account is limited like signing in", async () => {
  const { server, open } = await startTestServer(["ann"], { limits: { failuresPerAccount: 2 } });
  await server.accounts.add("bob@example.org", password);
  const { link } = await server.accounts.invite("bob@example.org", { from: "ann", alias: "Bob" });
  const invite = new URL(link).hash.slice(1);
  const codes: string[] = [];
  for (const guess of ["a wrong guess", "another guess", password]) {
    const client = await open();
    client.send("acceptInvite", { version: 1, invite, password: guess });
    codes.push((await client.next("error")).data.code);
  }
  expect(codes).toEqual(["unauthenticated", "unauthenticated", "rate-limited"]);
});

test("one address gets at most five invitations a day, and their senders are not told", async () => {
  const mailed: string[] = [];
  const users = ["ann", "bob", "cyd"];
  const { signIn, clock, logged } = await startTestServer(users, {
    mail: async (to) => void mailed.push(to),
    limits: { idleTimeout: Number.POSITIVE_INFINITY, resync: Number.POSITIVE_INFINITY },
  });
  const invite = async (user: string) => {
    const { request, settled } = await signIn(user);
    for (let at = 0; at < 2; at++)
      expect((await request("inviteUser", { email: "Dan@example.org" })).type).toBe("inviteResponse");
    await settled();
  };
  for (const user of users) await invite(user);
  await until(() => logged.some(([, message]) => message === "an invitation cannot be sent"));
  expect(mailed).toEqual(Array(5).fill("dan@example.org"));
  clock.advance(24 * 60 * minute);
  await invite("ann");
  await until(() => mailed.length === 7);
});

test("an account that is removed during its sign-in gets no session", async () => {
  const kept = await openSqliteStore(":memory:");
  const { server, open } = await startTestServer([], {
    store: {
      ...kept,
      async addSession(...args) {
        await server.accounts.remove("ann");
        return kept.addSession(...args);
      },
    },
  });
  await server.accounts.add("ann", password);
  const client = await open();
  client.send("authenticate", { version: 1, username: "ann", password });
  expect((await client.next("error")).type).toBe("error");
  expect(client.received.some(({ type }) => type === "setPeerId")).toBe(false);
  await client.closed;
});

test("a password that is set for an account that is removed at this moment is an error", async () => {
  const kept = await openSqliteStore(":memory:");
  const store = { ...kept, setPassword: async () => false };
  const { server } = await startTestServer(["ann"], { store });
  await expect(server.accounts.setPassword("ann", "another secret")).rejects.toThrow('There is no account "ann".');
});

test("nobody trusts himself, under any spelling of the name", async () => {
  const { server, open } = await startTestServer();
  await server.accounts.add("Ann@Example.org", password);
  const trust = server.accounts.trust("ann@example.org", "Me", "ANN@example.org", "Myself");
  await expect(trust).rejects.toThrow("are the same user");
  const invited = server.accounts.invite("ann@Example.org", { from: "ann@example.org", alias: "Me" });
  await expect(invited).rejects.toThrow("own address");
  const { link } = await server.accounts.invite("bob@example.org", { from: "ANN@example.org", alias: "Bob" });
  const bob = await open();
  bob.send("acceptInvite", { version: 1, invite: new URL(link).hash.slice(1), password });
  expect((await bob.next("userList")).data).toEqual(["ann@example.org"]);
});

test("an invitation ends with the account of its inviter", async () => {
  const { server, open } = await startTestServer(["ann"]);
  const { link } = await server.accounts.invite("bob@example.org", { from: "ann", alias: "Bob", as: "Annie" });
  await server.accounts.remove("ann");
  const late = await open();
  late.send("acceptInvite", { version: 1, invite: new URL(link).hash.slice(1), password });
  expect((await late.next("error")).data.code).toBe("token-invalid");
  expect(await server.accounts.list()).toEqual([]);
});

test("tokens are rate-limited: each is a row in the store until it expires", async () => {
  const { signIn, clock } = await startTestServer(["ann"], {
    limits: { tokens: 2, idleTimeout: Number.POSITIVE_INFINITY },
  });
  const ann = await signIn("ann");
  const ask = async (name: string) => (await ann.request("requestToken", { name })).type;
  expect([await ask("A"), await ask("B"), await ask("C")]).toEqual(["tokenResponse", "tokenResponse", "error"]);
  clock.advance(60 * minute);
  expect(await ask("C")).toBe("tokenResponse");
});

test("invitations are rate-limited, and an invalid address gets an error", async () => {
  const { signIn } = await startTestServer(["ann"], { limits: { invitations: 2 } });
  const ann = await signIn("ann");
  for (const email of ["", "ann", "a@b\r\nBcc: c@d", "a b@c", "a@b@c", `${"a".repeat(65)}@b`])
    expect((await ann.request("inviteUser", { email })).data.code).toBe("invalid-request");
  const answers = [];
  for (const name of ["b", "c", "d"]) answers.push(await ann.request("inviteUser", { email: `${name}@example.org` }));
  expect(answers.map(({ type, data }) => data.code ?? type)).toEqual([
    "inviteResponse",
    "inviteResponse",
    "rate-limited",
  ]);
});

test("a trust token has at least 128 random bits, lasts 10 minutes, and cannot be claimed by its owner", async () => {
  const { server, signIn, clock } = await startTestServer(["ann"]);
  await server.accounts.add("bob", password);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  const ask = async () => (await ann.request("requestToken", { name: "Bob" })).data;
  const { token, expires } = await ask();
  expect(Buffer.from(token, "base64url").length).toBeGreaterThanOrEqual(16);
  expect(Date.parse(expires) - clock.now()).toBe(10 * minute);
  expect((await ann.request("claimToken", { name: "Me", token })).data.code).toBe("token-invalid");
  const newer = await ask();
  expect((await bob.request("claimToken", { name: "Ann", token })).data.code).toBe("token-invalid");
  expect((await bob.request("claimToken", { name: "*", token: newer.token })).data.code).toBe("alias-reserved");
  expect((await bob.request("claimToken", { name: "Ann", token: newer.token })).type).toBe("claimResponse");
  expect((await bob.request("claimToken", { name: "Again", token: newer.token })).data.code).toBe("token-invalid");
});

test("a token is invalid after 10 minutes", async () => {
  const { server, signIn, clock } = await startTestServer(["ann"]);
  await server.accounts.add("bob", password);
  const ann = await signIn("ann");
  const { token } = (await ann.request("requestToken", { name: "Bob" })).data;
  clock.advance(10 * minute);
  const bob = await signIn("bob");
  expect((await bob.request("claimToken", { name: "Ann", token })).data.code).toBe("token-invalid");
});

test("claims are rate-limited", async () => {
  const { signIn } = await startTestServer(["ann"], { limits: { claims: 3 } });
  const ann = await signIn("ann");
  const codes = [];
  for (let at = 0; at < 4; at++) codes.push((await ann.request("claimToken", { name: "X", token: "guess" })).data.code);
  expect(codes).toEqual(["token-invalid", "token-invalid", "token-invalid", "rate-limited"]);
});

// ── who may connect ──

test.each([
  ["the server's own origin", (url: string) => url.replace("ws", "http")],
  ["a loopback name", () => "http://localhost:5173"],
])("a page on %s may connect", async (_, origin) => {
  const { server, open } = await startTestServer();
  await open({ origin: origin(server.url) });
});

test.each([
  ["another site", "https://evil.example.org"],
  ["a sandbox without an origin of its own", "null"],
  ["a name that only looks like loopback", "http://localhost.evil.example.org"],
])("a page on %s may not connect", async (_, origin) => {
  const { open } = await startTestServer();
  await expect(open({ origin })).rejects.toThrow("HTTP 403");
});

test("a list of origins replaces the default, and a client without an Origin may connect", async () => {
  const { open } = await startTestServer([], { origins: ["https://app.example.org"] });
  await open({ origin: "https://app.example.org" });
  await open();
  await expect(open({ origin: "http://localhost:5173" })).rejects.toThrow("HTTP 403");
});

test("`address` in a list of origins accepts a page at the address of the request, but not at a host name", async () => {
  const { open } = await startTestServer([], { origins: ["address"] });
  for (const host of ["192.168.1.7:5173", "[fd00::7]:5173"])
    await open({ origin: `http://${host}`, headers: { host } });
  // A page of another server, another port, and a host name that may lead here by DNS rebinding.
  for (const [origin, host] of [
    ["http://192.168.1.8:5173", "192.168.1.7:5173"],
    ["http://192.168.1.7:80", "192.168.1.7:5173"],
    ["http://evil.example.org:5173", "evil.example.org:5173"],
  ] as const)
    await expect(open({ origin, headers: { host } })).rejects.toThrow("HTTP 403");
});

test("a wildcard in an origin matches one label", async () => {
  const { open } = await startTestServer([], { origins: ["https://*.example.com", "https://*.example.org:8443"] });
  for (const origin of ["https://a.example.com", "https://a-1_b.example.com", "https://b.example.org:8443"])
    await open({ origin });
  for (const origin of [
    "https://example.com",
    "https://a.b.example.com",
    "http://a.example.com",
    "https://evil.com/.example.com",
    "https://a.example.com.evil.com",
    "https://b.example.org",
  ])
    await expect(open({ origin })).rejects.toThrow("HTTP 403");
});

test("a rejected page is logged as a warning, at most once a second", async () => {
  const { open, logged, clock } = await startTestServer();
  const refused = () => logged.filter(([level, message]) => level === "warn" && message.startsWith("rejected a page"));
  const knock = (origin: string) => expect(open({ origin })).rejects.toThrow("HTTP 403");
  await knock("https://app.example.org");
  await knock("https://other.example.org");
  expect(refused()).toEqual([
    ["warn", expect.stringContaining("--origin"), { origin: "https://app.example.org", address: "127.0.0.1" }],
  ]);
  clock.advance(1_000);
  await knock(`https://${"long.".repeat(1_000)}`);
  expect(refused()[1]?.[2]["origin"]).toHaveLength(256);
});

test("X-Forwarded-For counts only from listed proxies", async () => {
  const limits = { socketsPerAddress: 1 };
  const lied = await startTestServer([], { limits });
  await lied.open({ headers: { "x-forwarded-for": "198.51.100.1" } });
  const second = await lied.open({ headers: { "x-forwarded-for": "198.51.100.2" } });
  expect((await second.next("error")).data.code).toBe("rate-limited");
  expect(await second.closed).toBe(1013);
  const proxied = await startTestServer([], { limits, proxies: ["127.0.0.1"] });
  await proxied.open({ headers: { "x-forwarded-for": "198.51.100.1" } });
  const other = await proxied.open({ headers: { "x-forwarded-for": "198.51.100.1, 198.51.100.2" } });
  other.send("authenticate", { version: 1, session: "x" });
  expect(await other.closed).toBe(4001);
});

test("unencrypted ws beyond loopback is rejected unless `insecure` is set", async () => {
  await expect(createServer({ host: "0.0.0.0", port: 0, store: ":memory:" })).rejects.toThrow(/insecure/);
  const { server } = await startTestServer([], { host: "0.0.0.0", insecure: true });
  await server.close();
});

test("with a certificate a server listens beyond loopback, encrypted", async () => {
  const { server, open } = await startTestServer(["ann"], { host: "0.0.0.0", tls: await selfSigned() });
  expect(server.url).toMatch(/^wss:/);
  await signedIn(await open({ rejectUnauthorized: false }), { username: "ann", password });
  const plain = await sendRaw(server.url, upgradeTo("/"));
  const received: Buffer[] = [];
  plain.on("data", (chunk) => received.push(chunk));
  await once(plain, "close");
  expect(String(Buffer.concat(received))).not.toContain("101");
});

test("on an app's unencrypted http server, a client beyond loopback is rejected", async () => {
  const http = createHttpServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(() => void http.close());
  await startTestServer([], { server: http });
  const request = Object.assign(new EventEmitter(), {
    url: "/",
    method: "GET",
    headers: {},
    socket: { remoteAddress: "203.0.113.9" },
  });
  const written: string[] = [];
  const stream = new Duplex({
    read() {},
    write: (chunk, _, done) => done(void written.push(String(chunk)) as undefined),
  });
  http.emit("upgrade", request, stream, Buffer.alloc(0));
  await until(() => written.length > 0);
  expect(written[0]).toMatch(/^HTTP\/1\.1 403 /);
});

test("messages are not compressed, even if a client offers it", async () => {
  const { server } = await startTestServer();
  const socket = new WebSocket(server.url, { perMessageDeflate: true });
  const [response] = await once(socket, "upgrade");
  socket.terminate();
  expect(response.headers).not.toHaveProperty("sec-websocket-extensions");
});

// ── limits of a socket ──

test("a socket without a first frame within 5 seconds is closed", async () => {
  const { open, clock } = await startTestServer(["ann"]);
  const slow = await open();
  clock.advance(4_999);
  const quick = await open();
  clock.advance(1);
  expect((await slow.next("error")).data.code).toBe("timeout");
  expect(await slow.closed).toBe(1013);
  await signedIn(quick, { username: "ann", password });
});

test("a first frame that arrived while the server slept still signs in", async () => {
  const { open, clock } = await startTestServer(["ann"]);
  const client = await open();
  // The poll for sockets comes after this.
  await setImmediate();
  client.send("authenticate", { version: 1, username: "ann", password });
  clock.advance(5_000);
  expect(await client.next("setPeerId")).toBeDefined();
});

test("the first frame has at most 8 KiB by default", async () => {
  const { open } = await startTestServer(["ann"]);
  const big = await open();
  big.send("authenticate", { version: 1, username: "ann", password, filler: "x".repeat(8_192) });
  expect((await big.next("error")).data.code).toBe("protocol");
  expect(await big.closed).toBe(1009);
  const generous = await startTestServer(["ann"], { limits: { firstFrameSize: 16_384 } });
  await signedIn(await generous.open(), { username: "ann", password, filler: "x".repeat(8_192) });
});

test("a first frame may be longer than later ones if the app allows it", async () => {
  const { open } = await startTestServer([], {
    limits: { firstFrameSize: 100_000 },
    authenticate: async () => ({ username: "ann" }),
  });
  await signedIn(await open(), { token: "x".repeat(90_000) });
});

test("later frames have at most 64 KiB", async () => {
  const { signIn } = await startTestServer(["ann", "bob"]);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  bob.send("peerRequest", { to: ann.id, signal: "x".repeat(65_000) });
  expect((await ann.next("peerRequest")).data.signal).toHaveLength(65_000);
  bob.send("peerRequest", { to: ann.id, signal: "x".repeat(65_536) });
  expect(await bob.closed).toBe(1009);
  await ann.settled();
});

test("after a burst of 200 messages, 50 a second are read, and none is lost", async () => {
  const { signIn, clock } = await startTestServer(["ann"]);
  const ann = await signIn("ann");
  const pongs = () => ann.received.filter(({ type }) => type === "pong").length;
  for (let at = 0; at < 210; at++) ann.send("ping", {});
  // The sign-in was the first of the burst.
  await until(() => pongs() === 199);
  for (let more = 1; more <= 11; more++) {
    clock.advance(19);
    expect(pongs()).toBe(198 + more);
    clock.advance(1);
    await until(() => pongs() === 199 + more, { interval: 1 });
  }
});

test("a socket with more than 1 MiB unsent is closed, and the server does not grow", async () => {
  const { signIn, clock, logged } = await startTestServer(["ann", "bob"], { limits: { frameBurst: 10_000 } });
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  ann.socket.pause();
  const before = process.memoryUsage().arrayBuffers;
  const signal = "x".repeat(60_000);
  const closed = () => logged.some(([, message, data]) => message === "socket closed" && data["peer"] === ann.id);
  for (let sent = 0; !closed() && sent < 2_000; sent++) {
    bob.send("peerRequest", { to: ann.id, signal });
    if (sent % 20 === 0) await bob.settled();
    clock.advance(1);
    if (sent % 100 === 0) clock.advance(800);
    bob.send("pong", {});
  }
  expect(closed()).toBe(true);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(24 * 1024 * 1024);
  await bob.settled();
});

test("a half-open socket is terminated 35 seconds after its last frame", async () => {
  const { signIn, clock } = await startTestServer(["ann"]);
  const ann = await signIn("ann");
  clock.advance(25_000);
  await ann.next("ping");
  clock.advance(9_999);
  await ann.settled();
  clock.advance(34_999);
  expect(ann.socket.readyState).toBe(WebSocket.OPEN);
  clock.advance(1);
  expect(await ann.closed).toBe(1006);
});

test("a socket that answers heartbeats stays", async () => {
  const { signIn, clock } = await startTestServer(["ann"]);
  const ann = await signIn("ann");
  for (let beat = 0; beat < 10; beat++) {
    clock.advance(25_000);
    await ann.next("ping");
    ann.send("pong", {});
    await ann.settled();
  }
});

test("sockets are limited per address, and a closed socket no longer counts", async () => {
  const { open } = await startTestServer([], { limits: { socketsPerAddress: 2 } });
  const [first] = [await open(), await open()];
  const third = await open();
  expect((await third.next("error")).data.code).toBe("rate-limited");
  expect(await third.closed).toBe(1013);
  await first.break();
  await until(async () => {
    const next = await open();
    next.send("authenticate", { version: 1, session: "x" });
    return (await next.closed) === 4001;
  });
});

test("sockets are limited per account, and a resumed session does not count twice", async () => {
  const { signIn, open } = await startTestServer(["ann", "bob"], { limits: { socketsPerAccount: 2 } });
  const [first] = [await signIn("ann"), await signIn("ann")];
  expect(await refused(await open(), { username: "ann", password })).toMatchObject({
    code: "rate-limited",
    close: 1013,
  });
  await signIn("ann", { session: first.session });
  await signIn("bob");
});

test("sockets before sign-in are limited, and signed-in sockets do not count", async () => {
  const { signIn, open } = await startTestServer(["ann"], { limits: { socketsBeforeSignIn: 2 } });
  await signIn("ann");
  await signIn("ann");
  await open();
  const waiting = await open();
  await expect(open()).rejects.toThrow("HTTP 503");
  await signedIn(waiting, { username: "ann", password });
  await open();
});
