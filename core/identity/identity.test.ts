import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { createClient } from "../client.ts";
import type { Discovery } from "../discovery/discovery.ts";
import { createMemoryDiscovery } from "../discovery/memory.ts";
import { createNetwork } from "../testing/network.ts";
import { createMemoryNetwork } from "../transport/memory.ts";
import { createPlatformAlgorithms } from "./algorithms.ts";
import { createMemoryStore } from "./key-store.ts";
import type { IdentityOptions } from "./options.ts";
import { createDevice, createLocalClient, type Device, echo } from "./testing/users.ts";
import { deriveRoom } from "./tokens.ts";

const password = "a password";
let server: ServerProcess;
let pairs = 0;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.stop());

/** Signs in a new device of a user. */
async function signIn(username: string, identity: IdentityOptions | "off" = {}): Promise<Device> {
  const device = createDevice(identity);
  await device.client.connect(server.url, username, password);
  return device;
}

/** Two users with accounts of their own for each test. `trusts`: the server knows that they trust each other. */
async function createUsers({ trusts = true } = {}): Promise<readonly [ann: string, bob: string]> {
  const names = ["ann", "bob"].map((name) => `${name}${pairs}`) as [string, string];
  pairs++;
  for (const name of names) await server.addAccount(name, password);
  if (trusts) await server.trust(names[0], "Bob", names[1], "Ann");
  return names;
}

/** Ann and Bob, online and verified by a token. */
async function verifiedUsers(identity: IdentityOptions = {}) {
  const [annsName, bobsName] = await createUsers();
  const [ann, bob] = [await signIn(annsName, identity), await signIn(bobsName, identity)];
  await bob.client.claimToken("Ann", (await ann.client.requestToken("Bob")).token);
  await until(() => statusOf(ann, "Bob") === "verified" && statusOf(bob, "Ann") === "verified");
  return { annsName, bobsName, ann, bob };
}

const statusOf = ({ client }: Device, alias: string) => client.identityOf(alias).peek().status;
const accountOf = ({ client }: Device) => client.identity.peek()!.account;
const until = (condition: () => unknown) => vi.waitUntil(condition, { timeout: 20_000, interval: 20 });

/** Ends the links of a device and signs in again. */
async function reconnect({ client }: Device, username: string): Promise<void> {
  await client.disconnect();
  await client.connect(server.url, username, password);
}

/** Links two devices with a code that `maker` makes. */
async function link(maker: Device, claimer: Device): Promise<void> {
  const { token } = await maker.client.requestToken("Us");
  expect(token).toHaveLength(33);
  await claimer.client.claimToken("Us", token);
}

describe("tokens", () => {
  test("two users verify each other by one token, and are dialed at once", async () => {
    const [annsName, bobsName] = await createUsers({ trusts: false });
    const ann = await signIn(annsName, { policy: "require" });
    const bob = await signIn(bobsName, { policy: "require" });
    const { token } = await ann.client.requestToken("Bob");
    expect(token).toHaveLength(76);
    expect(statusOf(ann, "Bob")).toBe("pending");
    await bob.client.claimToken("Ann", token);
    await until(() => statusOf(ann, "Bob") === "verified" && statusOf(bob, "Ann") === "verified");
    expect(await echo(bob, "Ann")).toBe("verified");
    expect(await echo(ann, "Bob")).toBe("verified");
    expect(ann.calls).toMatchObject([{ from: "Bob", verified: true }]);
    expect(ann.changes).toEqual(["Bob pending", "Bob verified"]);
    const known = ann.client.identityOf("Bob").peek();
    expect(known.account).toBe(accountOf(bob));
    expect(known.safetyNumber).toMatch(/^(\d{5} ){11}\d{5}$/);
    expect(bob.client.identityOf("Ann").peek().safetyNumber).toBe(known.safetyNumber);
    // Each change describes all users again, and hashes none of them.
    const digest = vi.spyOn(crypto.subtle, "digest");
    await ann.client.requestToken("Carol");
    const hashed = digest.mock.calls.map(([, data]) => Buffer.from(data as Uint8Array).toString("latin1"));
    expect(hashed.filter((text) => text.startsWith("bonevalue safety number"))).toEqual([]);
    digest.mockRestore();
  });

  test("a token for a user who is trusted already only verifies, and the server learns nothing of it", async () => {
    const { ann, bob } = await verifiedUsers();
    const { token, expires } = await ann.client.requestToken("Bob");
    expect(token).toMatch(/^\.[\w-]{32}$/);
    expect(expires.getTime() - Date.now()).toBeGreaterThan(9 * 60_000);
    await bob.client.claimToken("Ann", token);
    expect(statusOf(bob, "Ann")).toBe("verified");
  });

  test("two users who are never online at once when they exchange the token verify each other at their first link", async () => {
    const [annsName, bobsName] = await createUsers();
    const ann = await signIn(annsName, { policy: "require" });
    const { token } = await ann.client.requestToken("Bob");
    await ann.client.disconnect();
    const bob = await signIn(bobsName, { policy: "require" });
    await bob.client.claimToken("Ann", token);
    await bob.client.disconnect();
    await ann.client.connect(server.url, annsName, password);
    await bob.client.connect(server.url, bobsName, password);
    expect(await echo(bob, "Ann")).toBe("verified");
    expect(await echo(ann, "Bob")).toBe("verified");
  });

  test("two users who claim each other's token at once are verified", async () => {
    const [annsName, bobsName] = await createUsers({ trusts: false });
    const [ann, bob] = [await signIn(annsName), await signIn(bobsName)];
    const tokens = [await ann.client.requestToken("Bob"), await bob.client.requestToken("Ann")];
    await Promise.all([bob.client.claimToken("Ann", tokens[0]!.token), ann.client.claimToken("Bob", tokens[1]!.token)]);
    expect(await echo(ann, "Bob")).toBe("verified");
    expect(await echo(bob, "Ann")).toBe("verified");
  });

  test("a claim that the server refuses leaves no trace", async () => {
    const { ann } = await verifiedUsers();
    const token = `${"A".repeat(43)}.${"A".repeat(32)}`;
    await expect(ann.client.claimToken("Carol", token)).rejects.toMatchObject({ code: "token-invalid" });
    expect(statusOf(ann, "Carol")).toBe("unknown");
  });

  test("an incomplete token is rejected, and a linking code verifies no user", async () => {
    const { ann, bob } = await verifiedUsers();
    await expect(bob.client.claimToken("Ann", ".AAAA")).rejects.toMatchObject({ code: "token-invalid" });
    const { token } = await ann.client.requestToken("Us");
    const stranger = (await createUsers())[1];
    const other = await signIn(stranger);
    await other.client.claimToken("Ann", token);
    expect(statusOf(other, "Ann")).toBe("pending");
  });

  test("without identity a client rejects such a token, and makes no linking code", async () => {
    const [annsName] = await createUsers();
    const ann = await signIn(annsName, "off");
    await expect(ann.client.claimToken("Bob", `x.${"A".repeat(32)}`)).rejects.toMatchObject({
      code: "identity-mismatch",
    });
    await expect(ann.client.requestToken("Us")).rejects.toMatchObject({ code: "identity-mismatch" });
    await expect(ann.client.resetIdentity()).rejects.toMatchObject({ code: "unsupported" });
    expect(ann.client.identity.peek()).toBeUndefined();
  });
});

describe("policies", () => {
  test("under tofu an unknown user is let through, not verified, and the key is remembered", async () => {
    const [annsName, bobsName] = await createUsers();
    const [ann, bob] = [await signIn(annsName), await signIn(bobsName)];
    expect(await echo(ann, "Bob")).toBe("not verified");
    expect(bob.calls).toMatchObject([{ verified: false }]);
    expect(statusOf(ann, "Bob")).toBe("seen");
    expect(ann.changes).toEqual(["Bob seen"]);
  });

  test("under require an unknown user cannot be reached, and cannot reach us", async () => {
    const [annsName, bobsName] = await createUsers();
    const [ann, bob] = [await signIn(annsName, { policy: "require" }), await signIn(bobsName)];
    expect(await echo(ann, "Bob")).toBe("identity-mismatch");
    expect(await echo(bob, "Ann")).toBe("identity-mismatch");
    expect([...ann.calls, ...bob.calls]).toEqual([]);
  });

  test("a client without identity talks to one with tofu until its key is known", async () => {
    const [annsName, bobsName] = await createUsers();
    const [ann, older] = [await signIn(annsName), await signIn(bobsName, "off")];
    expect(await echo(older, "Ann")).toBe("not verified");
    expect(await echo(ann, "Bob")).toBe("not verified");
    await older.client.disconnect();
    const newer = await signIn(bobsName);
    expect(await echo(ann, "Bob")).toBe("not verified");
    await newer.client.disconnect();
    await older.client.connect(server.url, bobsName, password);
    expect(await echo(ann, "Bob")).toBe("identity-mismatch");
    await expect(ann.client.get("Bob").call("Echo", 1).first()).rejects.toThrow(/update the app/);
    await expect(older.client.get("Ann").call("Echo", 1).first()).rejects.toThrow(/update the app/);
  });

  test("a changed key is reported, and refused under require, until it is accepted", async () => {
    const { bobsName, ann, bob } = await verifiedUsers();
    const before = accountOf(bob);
    await bob.client.disconnect();
    const reset = await signIn(bobsName);
    expect(await echo(ann, "Bob")).toBe("not verified");
    expect(ann.changes.at(-1)).toBe("Bob changed");
    await expect(ann.client.acceptIdentity("Bob", before)).rejects.toMatchObject({ code: "identity-mismatch" });
    await ann.client.acceptIdentity("Bob", accountOf(reset));
    expect(await echo(ann, "Bob")).toBe("verified");
  });

  test("after a reset this device has a new account, and its links end", async () => {
    const { ann, bob } = await verifiedUsers({ policy: "require" });
    const before = accountOf(ann);
    await ann.client.resetIdentity();
    expect(accountOf(ann)).not.toBe(before);
    expect(statusOf(ann, "Bob")).toBe("unknown");
    // A call that was sent on the old link ends with it.
    await expect.poll(() => echo(bob, "Ann")).toBe("identity-mismatch");
  });

  test("modules, calls and messages can ask for verified users whatever the policy", async () => {
    const [annsName, bobsName] = await createUsers();
    const [ann, bob] = [await signIn(annsName), await signIn(bobsName)];
    bob.client.module("Private", () => "secret", { verified: true });
    const target = ann.client.get("Bob");
    await until(() => target.peers.peek().length > 0);
    await expect(target.call("Private").first()).rejects.toMatchObject({ code: "forbidden" });
    await expect(target.call("Echo", 1, { verified: true }).first()).rejects.toMatchObject({
      code: "identity-mismatch",
    });
    const failed = new Promise((resolve) => ann.client.on("error", resolve));
    target.message("Echo", 2, { verified: true });
    expect(await failed).toMatchObject({ code: "identity-mismatch" });
    expect(bob.calls).toEqual([]);
    await bob.client.claimToken("Ann", (await ann.client.requestToken("Bob")).token);
    await until(() => statusOf(ann, "Bob") === "verified");
    expect(await target.call("Private").first()).toBe("secret");
    expect(await target.call("Echo", 3, { verified: true }).first()).toBe(3);
  });

  test("the app's directory verifies, and nothing else does", async () => {
    const [annsName, bobsName] = await createUsers();
    const bob = await signIn(bobsName);
    const directory: Record<string, string | Error> = { Bob: accountOf(bob) };
    const ann = await signIn(annsName, {
      policy: "require",
      accountOf(alias) {
        if (directory[alias] instanceof Error) throw directory[alias];
        return directory[alias];
      },
    });
    expect(await echo(ann, "Bob")).toBe("verified");
    directory["Bob"] = accountOf(ann);
    await reconnect(ann, annsName);
    expect(await echo(ann, "Bob")).toBe("identity-mismatch");
    directory["Bob"] = new Error("The directory is down.");
    await reconnect(ann, annsName);
    expect(await echo(ann, "Bob")).toBe("identity-mismatch");
  });

  test("clients sign by default", async () => {
    const [annsName] = await createUsers();
    const ann = createLocalClient({});
    await ann.connect(server.url, annsName, password);
    expect(ann.identity.peek()).toMatchObject({ status: "single" });
  });

  test("with a transport without channel binding nothing is signed, and require is an error", async () => {
    const { open, addUser } = createMemoryDiscovery();
    const { transport } = createMemoryNetwork();
    addUser("ann", "");
    const [ann, tab] = [
      createLocalClient({ discovery: { open }, transport }),
      createLocalClient({ discovery: { open }, transport }),
    ];
    tab.module("IsVerified", ({ verified }) => verified);
    await ann.connect("memory", "ann", "");
    await tab.connect("memory", "ann", "");
    await until(() => ann.peers.peek().length > 0);
    expect(await ann.get("Us").call("IsVerified").first()).toBe(false);
    expect(ann.identity.peek()).toBeUndefined();
    expect(() => createClient({ identity: "require", transport })).toThrow(
      expect.objectContaining({ code: "invalid-request", message: expect.stringContaining("`transport`") }),
    );
  });

  test("between tabs and in tests every peer counts as verified", async () => {
    const network = createNetwork();
    const [ann, bob] = [network.client("ann"), network.client("bob", { identity: "require" })];
    bob.module("Echo", ({ verified }) => verified);
    await ann.connect("test", "ann", "");
    await bob.connect("test", "bob", "");
    expect(await ann.get("bob").call("Echo", 1, { verified: true }).first()).toBe(true);
    await Promise.all([ann.disconnect(), bob.disconnect()]);
  });

  test("signing out forgets the session on the server, as without identity", async () => {
    const memory = createMemoryDiscovery();
    memory.addUser("ann", "");
    const closed: unknown[] = [];
    const open: Discovery["open"] = (...args) => {
      const session = memory.open(...args);
      return {
        ...session,
        close(forget) {
          closed.push(forget);
          return session.close(forget);
        },
      };
    };
    const ann = createDevice({}, { discovery: { open } });
    await ann.client.connect("memory", "ann", "");
    await ann.client.signOut();
    expect(closed).toEqual([true]);
    expect(ann.client.identity.peek()).toBeUndefined();
  });

  test("a sign-in that is replaced while its secret is awaited changes nothing any more", async () => {
    const { open, addUser } = createMemoryDiscovery();
    for (const name of ["ann", "bob"]) addUser(name, "");
    const prompt = Promise.withResolvers<Uint8Array>();
    const store = createMemoryStore();
    let subscriptions = 0;
    let ended = 0;
    const keyStore: typeof store = {
      ...store,
      subscribe(name, listener) {
        subscriptions++;
        const undo = store.subscribe!(name, listener);
        return () => {
          ended++;
          undo();
        };
      },
    };
    const asked = Promise.withResolvers<void>();
    const secrets = [prompt.promise, Promise.resolve(new Uint8Array(16))];
    const secret = () => {
      asked.resolve();
      return secrets.shift()!;
    };
    const { client } = createDevice({ keyStore, secret }, { discovery: { open } });
    const replaced = expect(client.connect("memory", "ann", "")).rejects.toMatchObject({ code: "cancelled" });
    await asked.promise;
    await client.connect("memory", "bob", "");
    await replaced;
    const bobs = client.identity.peek();
    prompt.resolve(new Uint8Array(16).fill(1));
    await until(() => subscriptions === 2);
    expect(client.identity.peek()).toBe(bobs);
    await client.disconnect();
    expect(client.identity.peek()).toBeUndefined();
    expect(ended).toBe(2);
  });

  test("what is known of users is hidden while signed out", async () => {
    const { annsName, ann } = await verifiedUsers();
    const bob = ann.client.identityOf("Bob");
    await ann.client.disconnect();
    expect(bob.peek()).toEqual({ status: "unknown" });
    await ann.client.connect(server.url, annsName, password);
    expect(bob.peek().status).toBe("verified");
  });

  test("a store that fails rejects the sign-in", async () => {
    const [annsName] = await createUsers();
    const keyStore = { storesCryptoKeys: false, update: () => Promise.reject(new Error("The disk is full.")) };
    const ann = createDevice({ keyStore });
    await expect(ann.client.connect(server.url, annsName, password)).rejects.toMatchObject({ code: "unsupported" });
    expect(ann.client.status.peek()).toBe("offline");
  });
});

describe("several devices", () => {
  test("a new device joins the account by a code, and friends know it by an introduction", async () => {
    const { annsName, ann, bob } = await verifiedUsers({ policy: "require" });
    const phone = await signIn(annsName, { policy: "require" });
    expect(await echo(phone, "Bob")).toBe("identity-mismatch");
    bob.client.get({ peer: phone.client.getId()! }).message("Echo", "for Ann");
    await until(() => phone.client.identity.peek()!.status === "unlinked");
    await link(ann, phone);
    expect(phone.client.identity.peek()).toMatchObject({ account: accountOf(ann), status: "linked" });
    expect(phone.client.identity.peek()!.device).not.toBe(accountOf(ann));
    expect(await echo(phone, "Bob")).toBe("verified");
    expect(await echo(phone, "Us")).toBe("verified");
    expect(statusOf(phone, "Bob")).toBe("verified");
    expect(phone.client.identityOf("Bob").peek().account).toBe(accountOf(bob));
    expect(ann.client.identity.peek()!.devices).toMatchObject([{ device: phone.client.identity.peek()!.device }]);
  });

  test("the established device can also claim the new device's code", async () => {
    const { annsName, ann } = await verifiedUsers({ policy: "require" });
    const phone = await signIn(annsName, { policy: "require" });
    await link(phone, ann);
    await until(() => accountOf(phone) === accountOf(ann));
    expect(await echo(phone, "Bob")).toBe("verified");
    expect(await echo(ann, "Us")).toBe("verified");
  });

  test("a device that was its own account keeps its friends when it joins", async () => {
    const { annsName, bobsName, ann, bob } = await verifiedUsers();
    await ann.client.disconnect();
    const phone = await signIn(annsName);
    await reconnect(bob, bobsName);
    await phone.client.claimToken("Bob", (await bob.client.requestToken("Ann")).token);
    await until(() => statusOf(bob, "Ann") === "verified" && statusOf(phone, "Bob") === "verified");
    const former = accountOf(phone);
    expect(bob.client.identityOf("Ann").peek().account).toBe(former);
    await ann.client.connect(server.url, annsName, password);
    await link(ann, phone);
    await reconnect(phone, annsName);
    expect(await echo(phone, "Bob")).toBe("verified");
    expect(bob.client.identityOf("Ann").peek().account).toBe(accountOf(ann));
  });

  test("a device that a new device has refused is no longer called unlinked once the new one has joined", async () => {
    const { annsName, ann: laptop } = await verifiedUsers({ policy: "require" });
    const phone = await signIn(annsName, { policy: "require" });
    expect(await echo(laptop, "Us")).toBe("identity-mismatch");
    await until(() => laptop.client.identity.peek()?.status === "unlinked");
    await link(laptop, phone);
    await until(() => laptop.client.identity.peek()?.status === "linked");
    expect(phone.client.identity.peek()?.status).toBe("linked");
  });

  test("a code works for one device", async () => {
    const [annsName] = await createUsers();
    const [ann, phone, tablet] = [await signIn(annsName), await signIn(annsName), await signIn(annsName)];
    const { token } = await ann.client.requestToken("Us");
    await phone.client.claimToken("Us", token);
    await phone.client.disconnect();
    await expect(tablet.client.claimToken("Us", token)).rejects.toMatchObject({ code: "identity-mismatch" });
    expect(tablet.client.identity.peek()!.status).not.toBe("linked");
  });

  test("a removed device is refused by the account's users at once", async () => {
    const { annsName, ann, bob } = await verifiedUsers({ policy: "require" });
    const phone = await signIn(annsName, { policy: "require" });
    await link(ann, phone);
    expect(await echo(phone, "Bob")).toBe("verified");
    await ann.client.removeDevice(phone.client.identity.peek()!.device);
    // The phone hears it last. A call before that is lost with the link.
    await until(() => phone.client.link(bob.client.getId()!).peek().status !== "open");
    expect(await echo(phone, "Bob")).toBe("identity-mismatch");
    expect(await echo(ann, "Bob")).toBe("verified");
    expect(ann.client.identity.peek()!.devices).toMatchObject([{ removed: true }]);
    await expect(ann.client.removeDevice(accountOf(ann))).rejects.toMatchObject({ code: "unsupported" });
  });

  test("devices with a secret are one account without a code", async () => {
    const [annsName, bobsName] = await createUsers();
    const secret = new Uint8Array(16).fill(7);
    const [ann, bob] = [
      await signIn(annsName, { secret, policy: "require" }),
      await signIn(bobsName, { policy: "require" }),
    ];
    await bob.client.claimToken("Ann", (await ann.client.requestToken("Bob")).token);
    await until(() => statusOf(bob, "Ann") === "verified");
    await ann.client.disconnect();
    const phone = await signIn(annsName, { secret: async () => secret, policy: "require" });
    expect(accountOf(phone)).not.toBe(phone.client.identity.peek()!.device);
    expect(await echo(bob, "Ann")).toBe("verified");
    await expect(phone.client.requestToken("Us")).rejects.toMatchObject({ code: "unsupported" });
    await expect(phone.client.claimToken("Us", `.${"A".repeat(32)}`)).rejects.toMatchObject({ code: "unsupported" });
    const short = createDevice({ secret: new Uint8Array(15) });
    await expect(short.client.connect(server.url, annsName, password)).rejects.toMatchObject({
      code: "invalid-request",
    });
  });

  test("tabs that share a store are one device", async () => {
    const { annsName, ann, bob } = await verifiedUsers({ policy: "require" });
    const tab = await signIn(annsName, { policy: "require", keyStore: ann.store });
    expect(tab.client.identity.peek()!.device).toBe(ann.client.identity.peek()!.device);
    expect(await echo(tab, "Bob")).toBe("verified");
    await bob.client.removeUser("Ann");
    await ann.client.resetIdentity();
    await until(() => accountOf(tab) === accountOf(ann));
  });
});

describe("rooms", () => {
  const { open } = createMemoryDiscovery();
  const enter = async (name: string, identity: IdentityOptions) => {
    const device = createDevice(identity, { discovery: { open } });
    await device.client.connect("memory", { room: "a room", name });
    return device;
  };

  test("nobody is verified without a secret, and require needs one", async () => {
    const [ann, bob] = [await enter("Ann", {}), await enter("Bob", {})];
    const [peer] = ann.client.peers.peek();
    expect(await ann.client.get({ peer: peer!.id }).call("Echo", 1).first()).toBe(1);
    expect(bob.calls).toMatchObject([{ verified: false }]);
    await expect(enter("Carol", { policy: "require" })).rejects.toMatchObject({ code: "identity-mismatch" });
  });

  test("a request before the client is in its private room fails, as at a server that is out of reach", async () => {
    const { client } = createDevice({ secret: new Uint8Array(16) }, { discovery: { open } });
    const entering = client.connect("memory", { room: "a room", name: "Ann" });
    await expect(client.invite("dan@example.org")).rejects.toMatchObject({ code: "not-connected" });
    await entering;
    await expect(client.invite("dan@example.org")).rejects.toMatchObject({ code: "unsupported" });
  });

  /** A server that signs everybody in as Ann, and puts those into a room who sign in while `chosen.room` has a name. */
  function createChoosingServer() {
    const { open: openAccount, addUser, interrupt, restore } = createMemoryDiscovery();
    addUser("ann", "");
    const chosen: { room?: string } = { room: "team" };
    const discovery: Discovery = {
      open: (host, _, events, options) =>
        openAccount(
          host,
          { username: "ann", password: "" },
          {
            ...events,
            online: (snapshot) => events.online({ ...snapshot, self: { ...snapshot.self, ...chosen } }),
          },
          options,
        ),
    };
    return { chosen, discovery, interrupt, restore };
  }

  test("a server cannot switch identity off by putting an account into a room", async () => {
    const { chosen, discovery, interrupt, restore } = createChoosingServer();
    const ann = createDevice({}, { discovery });
    await expect(ann.client.connect("memory", "ann", "")).rejects.toMatchObject({ code: "protocol" });
    delete chosen.room;
    await ann.client.connect("memory", { token: "a token" });
    expect(ann.client.identity.peek()).toBeDefined();
    chosen.room = "team";
    const reasons: unknown[] = [];
    ann.client.on("disconnect", (reason) => reasons.push(reason?.code));
    interrupt();
    restore();
    await until(() => reasons.includes("protocol"));
    expect(ann.client.identity.peek()).toBeUndefined();
  });

  test("a room that the server has chosen for an app's token is one without a secret", async () => {
    const { discovery } = createChoosingServer();
    const [ann, other] = [createDevice({}, { discovery }), createDevice({}, { discovery })];
    await ann.client.connect("memory", { token: "a token" });
    await other.client.connect("memory", { token: "a token" });
    await until(() => ann.client.peers.peek().length > 0);
    expect(await ann.client.get("*").call("Echo", 1).first()).toBe(1);
    expect(other.calls).toMatchObject([{ verified: false }]);
    expect(ann.client.identity.peek()).toBeUndefined();
    const strict = createDevice({ policy: "require" }, { discovery });
    await expect(strict.client.connect("memory", { token: "a token" })).rejects.toMatchObject({
      code: "identity-mismatch",
    });
  });

  test("all who have the secret are verified, and a guest whom the server lets in is not", async () => {
    const secret = new Uint8Array(16).fill(9);
    const [ann, bob] = [await enter("Ann", { secret, policy: "require" }), await enter("Bob", { secret })];
    const other = await enter("Carol", { secret: new Uint8Array(16) });
    const room = await deriveRoom(createPlatformAlgorithms(crypto.subtle), secret);
    // It has keys, and proves another room.
    const enterTheirs: Discovery["open"] = (host, credentials, ...rest) =>
      open(host, { ...credentials, room }, ...rest);
    const stranger = createDevice({ secret: new Uint8Array(16) }, { discovery: { open: enterTheirs } });
    await stranger.client.connect("memory", { room: "a room", name: "Eve" });
    expect(ann.client.self.peek()).toMatchObject({ username: "Ann", room: "a room" });
    expect(other.client.peers.peek()).toEqual([]);
    const idOf = ({ client }: Device) => client.getId()!;
    const call = (to: Device) =>
      bob.client
        .get({ peer: idOf(to) })
        .call("Echo", 1)
        .first();
    await until(() => bob.client.peers.peek().length === 2);
    expect(await call(ann)).toBe(1);
    expect(ann.calls).toMatchObject([{ verified: true }]);
    await call(stranger);
    expect(stranger.calls).toMatchObject([{ verified: false }]);
    await expect(
      ann.client
        .get({ peer: idOf(stranger) })
        .call("Echo", 1)
        .first(),
    ).rejects.toMatchObject({ code: "identity-mismatch" });
    await expect(ann.client.removeDevice("x")).rejects.toMatchObject({ code: "unsupported" });
    await expect(ann.client.requestToken("Bob")).rejects.toMatchObject({ code: "unsupported" });
    expect(bob.client.identityOf("Eve").peek().status).toBe("unknown");
  });
});
