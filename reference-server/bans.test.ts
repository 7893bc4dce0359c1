import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createLocalCluster } from "./cluster/local.ts";
import { defaultLog } from "./log.ts";
import { createServer } from "./server.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import { startPostgres, type TestPostgres } from "./testing/postgres.ts";
import { openClient, type TestClient } from "./testing/test-client.ts";
import { password, signedIn, startTestServer } from "./testing/test-server.ts";

const hour = 60 * 60_000;

async function refusalOf(client: TestClient, proof: object = { username: "ann", password }) {
  client.send("authenticate", { version: 1, ...proof });
  const { data } = await client.next("error");
  return [data.code, data.message, await client.closed];
}

describe("kick", () => {
  test("ends one session, and its user may sign in again", async () => {
    const { server, signIn, open } = await startTestServer(["ann", "bob"]);
    const [ann, other, bob] = [await signIn("ann"), await signIn("ann"), await signIn("bob")];
    await server.kick(ann.id);
    expect(await ann.closed).toBe(4001);
    expect((await bob.next("peerDisconnect")).data).toBe(ann.id);
    expect(await refusalOf(await open(), { session: ann.session })).toContain("unauthenticated");
    expect(other.socket.readyState).toBe(other.socket.OPEN);
    await signIn("ann");
  });

  test("ends the session of a guest, whose address may be banned", async () => {
    const { server, signIn, open } = await startTestServer([], { rooms: true });
    const [ann, bob] = [await signIn("", { room: "r", name: "Ann" }), await signIn("", { room: "r", name: "Bob" })];
    await server.kick(ann.id);
    expect(await ann.closed).toBe(4001);
    expect((await bob.next("peerDisconnect")).data).toBe(ann.id);
    await server.ban({ address: "127.0.0.1" }, new Date(Date.now() + hour));
    expect(await bob.closed).toBe(4001);
    expect(await refusalOf(await open(), { room: "r", session: bob.session })).toContain("unauthenticated");
  });

  test("of an unknown peer does nothing", async () => {
    const { server, signIn } = await startTestServer(["ann"]);
    const ann = await signIn("ann");
    await server.kick("nobody");
    await ann.settled();
  });
});

describe("kick by another server", () => {
  test("ends a session that is signing in", async () => {
    const kept = await openSqliteStore(":memory:");
    const cluster = createLocalCluster();
    const other = await startTestServer(["ann"], { store: kept, cluster });
    const signingIn = Promise.withResolvers<void>();
    const reloaded = Promise.withResolvers<void>();
    const { open, clock } = await startTestServer([], {
      cluster,
      store: {
        ...kept,
        async trusted(username) {
          signingIn.resolve();
          await reloaded.promise;
          return kept.trusted(username);
        },
        async sessionsOf(peers) {
          const found = await kept.sessionsOf(peers);
          setImmediate(reloaded.resolve);
          return found;
        },
      },
    });
    const client = await open();
    client.send("authenticate", { version: 1, username: "ann", password });
    await signingIn.promise;
    const [session] = await other.server.accounts.sessions("ann");
    await other.server.kick(session!.peer);
    clock.advance(500);
    expect(await Promise.race([client.closed, client.next("peerList")])).toBe(4001);
  });
});

describe("ban", () => {
  test("of a user ends its sessions and refuses new ones, after the password was checked, until it ends", async () => {
    const { server, signIn, open, clock } = await startTestServer(["ann", "bob"]);
    const [ann, bob] = [await signIn("ann"), await signIn("bob")];
    const until = new Date(clock.now() + hour);
    await server.ban({ user: "ann" }, until);
    expect(await ann.closed).toBe(4001);
    expect((await bob.next("peerDisconnect")).data).toBe(ann.id);
    const blocked = ["unauthenticated", `This account is blocked until ${until.toUTCString()}.`, 4001];
    expect(await refusalOf(await open())).toEqual(blocked);
    expect(await refusalOf(await open(), { session: ann.session })).toEqual(blocked);
    const guess = await refusalOf(await open(), { username: "ann", password: "a wrong guess" });
    expect(guess).toEqual(["unauthenticated", "The user name or the password is wrong.", 4001]);
    expect(await server.accounts.sessions("ann")).toHaveLength(1);
    clock.advance(hour);
    expect((await signIn("ann", { session: ann.session })).id).toBe(ann.id);
  });

  test("of a user also holds for a remembered device", async () => {
    const { server, signIn, open, clock } = await startTestServer(["ann"]);
    const ann = await signIn("ann", { username: "ann", password, remember: true });
    const device = ann.received.find(({ type }) => type === "setPeerId")?.data.device;
    expect(device).toEqual(expect.any(String));
    await server.ban({ user: "ann" }, new Date(clock.now() + hour));
    expect(await refusalOf(await open(), { device })).toContainEqual(expect.stringContaining("is blocked until"));
    clock.advance(hour);
    await signIn("ann", { device });
  });

  test("of an address refuses all users there, before a password is hashed", async () => {
    const { server, signIn, open } = await startTestServer(["ann"], { proxies: ["127.0.0.1"] });
    const from = (address: string) => open({ headers: { "x-forwarded-for": address } });
    const ann = await signedIn(await from("2001:db8::1"), { username: "ann", password });
    const elsewhere = await signIn("ann");
    await server.ban({ address: "2001:db8::2" }, new Date(Date.now() + hour));
    expect(await ann.closed).toBe(4001);
    const [code, message] = await refusalOf(await from("2001:db8::3"), { username: "nobody", password: "x" });
    expect([code, message]).toEqual(["unauthenticated", expect.stringContaining("This address is blocked until")]);
    await signedIn(await from("2001:db8:0:1::1"), { username: "ann", password });
    expect(elsewhere.socket.readyState).toBe(elsewhere.socket.OPEN);
  });

  test("is listed until it ends or is removed, and the later one of two counts", async () => {
    const { server, signIn, clock } = await startTestServer(["ann"]);
    const at = (hours: number) => new Date(clock.now() + hours * hour);
    await server.ban({ user: "Ann@Example.org" }, at(1));
    await server.ban({ address: "::ffff:192.0.2.1" }, at(1));
    await server.ban({ address: "2001:db8::1" }, at(2));
    await server.ban({ user: "ann" }, at(3));
    await server.ban({ user: "ann" }, at(2));
    expect(await server.bans()).toEqual([
      { address: "192.0.2.1", until: at(1) },
      { address: "2001:db8:0:0::/64", until: at(2) },
      { user: "ann", until: at(2) },
      { user: "ann@example.org", until: at(1) },
    ]);
    await server.unban({ user: "ann" });
    await signIn("ann");
    clock.advance(hour);
    await server.unban({ address: "2001:db8:0:0::/64" });
    expect(await server.bans()).toEqual([]);
    await expect(server.unban({ user: "ann" })).rejects.toThrow("There is no such ban.");
  });

  test("with a past or invalid date, or of no address, is an error", async () => {
    const { server } = await startTestServer();
    for (const until of [new Date(0), new Date(Number.NaN)])
      await expect(server.ban({ user: "ann" }, until)).rejects.toThrow("a date in the future");
    await expect(server.ban({ address: "example.org" }, new Date(Date.now() + hour))).rejects.toThrow(
      "not an IP address",
    );
    expect(await server.bans()).toEqual([]);
  });

  test("during a sign-in ends the session", async () => {
    const kept = await openSqliteStore(":memory:");
    const { server, open } = await startTestServer([], {
      store: {
        ...kept,
        async addSession(...args) {
          const added = await kept.addSession(...args);
          await server.ban({ user: "ann" }, new Date(Date.now() + hour));
          return added;
        },
      },
    });
    await server.accounts.add("ann", password);
    expect(await refusalOf(await open())).toContain("unauthenticated");
  });

  test("is unsupported by a store without bans, and others work as before", async () => {
    const { addBan, removeBan, bans, ...store } = await openSqliteStore(":memory:");
    const { server, signIn } = await startTestServer(["ann"], { store });
    await expect(server.ban({ user: "ann" }, new Date(Date.now() + hour))).rejects.toThrow("does not support bans");
    await signIn("ann");
    expect(await server.bans()).toEqual([]);
  });
});

describe("on several servers of one store", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  async function file(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "bonevalue-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    return join(folder, "accounts.db");
  }

  test.each([
    ["SQLite", file],
    ["PostgreSQL", () => postgres.database()],
  ])("with %s, kicks and bans of one take effect on the other", async (_, place) => {
    const store = await place();
    const start = async () => {
      const server = await createServer({ port: 0, store, log: defaultLog("silent") });
      onTestFinished(() => server.close());
      return server;
    };
    const [one, two] = [await start(), await start()];
    await one.accounts.add("ann", password);
    const signIn = async (username: string) => {
      const client = await openClient(two.url);
      onTestFinished(() => client.socket.terminate());
      return signedIn(client, { username, password });
    };
    const kicked = await signIn("ann");
    await one.kick(kicked.id);
    expect(await kicked.closed).toBe(4001);
    const ann = await signIn("ann");
    await one.ban({ user: "ann" }, new Date(Date.now() + hour));
    expect(await ann.closed).toBe(4001);
    await expect(signIn("ann")).rejects.toThrow();
    await one.unban({ user: "ann" });
    await expect.poll(() => signIn("ann").then(Boolean, () => false), { timeout: 30_000 }).toBe(true);
  });
});
