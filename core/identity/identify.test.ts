import { expect, test, vi } from "vitest";
import { BonevalueError } from "../errors.ts";
import { createPlatformAlgorithms } from "./algorithms.ts";
import type { CurrentIdentity } from "./client-identity.ts";
import { createDevice } from "./device.ts";
import { type IdentifyOptions, type Identity, identify, redial } from "./identify.ts";
import { createMemoryStore, type KeyStore } from "./key-store.ts";
import type { IdentityOptions, OwnIdentity, UserIdentity } from "./options.ts";
import { certify, type IdentityRecord, setUser } from "./record.ts";
import { bob, claim, eve, idOf } from "./testing/records.ts";
import { deriveAccount, deriveRoom } from "./tokens.ts";

const algorithms = createPlatformAlgorithms(crypto.subtle);
const secret = new Uint8Array(16).fill(5);
const until = (condition: () => unknown) => vi.waitUntil(condition, { interval: 1, timeout: 30_000 });
const future = Number.POSITIVE_INFINITY;

interface Options {
  readonly options?: IdentityOptions;
  readonly store?: KeyStore;
  readonly credentials?: object;
  /** The names of the peers that are online, which are also their ids. */
  readonly peers?: readonly string[];
}

/** The identity of a sign-in of Ann's, and what it has told the client. */
async function createAnn({ options, store = createMemoryStore(), credentials, peers = [] }: Options = {}) {
  const own: string[] = [];
  const users: string[] = [];
  const dialed: string[] = [];
  const closed: (BonevalueError | undefined)[] = [];
  let online = peers;
  const ending = Promise.withResolvers<BonevalueError | undefined>();
  const current: CurrentIdentity = { identity: undefined, isUnsigned: false };
  const client = {
    options: { keyStore: store, ...options },
    discovery: {},
    host: "wss://example.org/",
    current,
    events: { online() {}, peerConnect() {}, woke() {} },
    transport: {
      open: () => ({
        opened: new Promise(() => {}),
        closed: ending.promise,
        close: (reason: BonevalueError) => closed.push(reason),
      }),
    },
    credentials: credentials ?? { username: "Ann", password: "x" },
    app: "",
    self: () => "self",
    peers: () => online.map((name) => ({ id: name, name, profile: {} })),
    peer: (id: string) => (online.includes(id) ? { id, name: id, profile: {} } : undefined),
    isUser: () => false,
    async dial(id: string) {
      dialed.push(id);
      throw new BonevalueError("link-failed", "There is no path.");
    },
    endLink() {},
    onOwn: (identity?: OwnIdentity) => own.push(identity ? `${identity.account} ${identity.status}` : "none"),
    onUser: (alias: string) => users.push(`${alias} ${current.identity?.users.get(alias)?.status ?? "unknown"}`),
    onChange(alias: string, { status }: UserIdentity) {
      expect(users.pop()).toBe(`${alias} ${status}`);
      users.push(`${alias} ${status} news`);
    },
  } as unknown as IdentifyOptions;
  const identity = await identify(client);
  const otherTab = createDevice({ algorithms, store, name: "example.org Ann" });
  return {
    ...{ identity, otherTab, own, users, dialed, closed, store, ending },
    setPeers(...names: string[]) {
      online = names;
    },
    /** Opens a link, which stays an attempt. */
    open(peer: string) {
      const exchange = { listen() {}, describe() {}, iceServers: () => [] };
      return identity.links.open(peer, "caller", exchange as never);
    },
  };
}

const seeing = (record: IdentityRecord, account = bob) => setUser(record, { alias: "Bob", seen: idOf(account) });
/** Signs in. */
const start = (identity: Identity, username = "") =>
  identity.receive("online", { self: { id: "self", username }, users: [], peers: [] });
/** Reports that a peer has come online. */
const meet = (identity: Identity) => identity.receive("peerConnect", { id: "any", name: "any", profile: {} });
const change = (identity: Identity, by: (record: IdentityRecord) => IdentityRecord) => identity.apply(by);

test("what was known before the sign-in is no news, and each change is told once", async () => {
  const { identity, otherTab, own, users } = await createAnn();
  await otherTab.read();
  await otherTab.update((record) => seeing(record));
  await start(identity);
  const { account } = identity.record;
  expect(identity.record.derived).toBe(false);
  expect(own).toEqual([`${account} single`]);
  expect(users).toEqual(["Bob seen"]);
  await change(identity, (record) => ({ ...record }));
  expect([own.length, users.length]).toEqual([1, 1]);
  await change(identity, (record) => certify(record, "Bob", idOf(bob), 1));
  expect(users.at(-1)).toBe("Bob verified news");
  await change(identity, (record) => ({ ...record, users: [] }));
  expect(users.at(-1)).toBe("Bob unknown news");
  await change(identity, (record) => ({ ...record, unlinked: true }));
  expect(own).toEqual([`${account} single`, `${account} unlinked`]);
  expect(users).toHaveLength(3);
});

test("another account of the same status is news, and another safety number alone is not", async () => {
  const { identity, users } = await createAnn();
  await start(identity);
  await change(identity, (record) => seeing(record));
  await change(identity, (record) => seeing(record, eve));
  expect(users).toEqual(["Bob seen news", "Bob seen news"]);
  const before = identity.users.get("Bob")!;
  await change(identity, (record) => ({ ...record, account: idOf(77) }));
  expect(users.at(-1)).toBe("Bob seen");
  expect(identity.users.get("Bob")!.safetyNumber).not.toBe(before.safetyNumber);
});

test.for(["own", "users"] as const)(
  "an error of the app that is told (%s) is reported, and everything else is told",
  async (which) => {
    const { identity, own, users } = await createAnn();
    await start(identity);
    const reported = vi.spyOn(console, "error").mockImplementation(() => {});
    const failure = new Error("An effect of the app throws.");
    vi.spyOn({ own, users }[which], "push").mockImplementationOnce(() => {
      throw failure;
    });
    await change(identity, (record) => ({
      ...setUser(seeing(record), { alias: "Carol", seen: idOf(eve) }),
      unlinked: true,
    }));
    expect(reported.mock.calls).toEqual([[failure]]);
    expect(users.at(-1)).toBe("Carol seen news");
    await change(identity, (record) => ({ ...seeing(record, 77), unlinked: false }));
    expect(users.at(-1)).toBe("Bob seen news");
    expect(own.at(-1)).toBe(`${identity.record.account} single`);
  },
);

test("a description that fails is reported, and the next one is told", async () => {
  const { identity, users } = await createAnn();
  await start(identity);
  const reported = vi.spyOn(console, "error").mockImplementation(() => {});
  const failure = new Error("There is no memory.");
  vi.spyOn(crypto.subtle, "digest").mockRejectedValueOnce(failure);
  await change(identity, (record) => seeing(record));
  expect(reported.mock.calls).toEqual([[failure]]);
  expect(users).toEqual([]);
  await change(identity, (record) => setUser(record, { alias: "Carol", seen: idOf(eve) }));
  expect(users).toEqual(["Bob seen news", "Carol seen news"]);
});

test("an account is hashed once while it is shown", async () => {
  const digest = vi.spyOn(crypto.subtle, "digest");
  const { identity } = await createAnn();
  await start(identity);
  const hashed = async (by: (record: IdentityRecord) => IdentityRecord) => {
    digest.mockClear();
    await change(identity, by);
    return digest.mock.calls.length;
  };
  expect(await hashed((record) => setUser(seeing(record), { alias: "Carol", seen: idOf(bob) }))).toBe(1);
  expect(await hashed((record) => setUser(record, { alias: "Carol", seen: idOf(eve) }))).toBe(1);
  expect(await hashed((record) => ({ ...record, users: [] }))).toBe(0);
  expect(await hashed((record) => seeing(record))).toBe(1);
});

test("users with a token that waits are told, too", async () => {
  const { identity, users } = await createAnn();
  await start(identity);
  await change(identity, (record) => ({ ...record, tokens: [{ ...claim, until: future }] }));
  await change(identity, (record) => ({ ...record, claims: [{ ...claim, alias: "Carol", until: future }] }));
  expect(users).toEqual(["Bob pending news", "Carol pending news"]);
});

test("users with a token that has expired are not told", async () => {
  const reported = vi.spyOn(console, "error");
  const { identity, users } = await createAnn();
  await start(identity);
  await change(identity, (record) => ({ ...record, tokens: [{ ...claim, until: 0 }] }));
  expect(users).toEqual([]);
  expect(reported).not.toHaveBeenCalled();
});

test.for<[string, IdentityOptions, string]>([
  ["the server's word", {}, "example.org told"],
  ["the app", { name: "Ann" }, "example.org Ann"],
])("with a token, %s names the key, also when it signs in again", async ([, options, name]) => {
  const store = createMemoryStore();
  const update = vi.spyOn(store, "update");
  const { identity } = await createAnn({ store, options, credentials: { token: "x" } });
  await start(identity, "told");
  await start(identity, "somebody else");
  expect(new Set(update.mock.calls.map(([key]) => key))).toEqual(new Set([name]));
});

test("a client that is online again, or wakes, learns what other tabs have written, since a suspended page gets no reports", async () => {
  const store = { ...createMemoryStore(), subscribe: () => () => {} };
  const { identity, otherTab, users } = await createAnn({ store });
  await identity.receive("woke");
  await start(identity);
  await otherTab.update((record) => seeing(record));
  expect(users).toEqual([]);
  await start(identity);
  expect(users).toEqual(["Bob seen news"]);
  await otherTab.update((record) => seeing(record, eve));
  await identity.receive("woke");
  await until(() => users.length > 1);
  expect(users.at(-1)).toBe("Bob seen news");
  const failure = new BonevalueError("unsupported", "The disk is full.");
  const reported = vi.spyOn(console, "error").mockImplementation(() => {});
  vi.spyOn(store, "update").mockRejectedValue(failure);
  await start(identity);
  expect(reported.mock.calls).toEqual([[failure]]);
});

test("without a key store there is one of this process", async () => {
  const { identity, own } = await createAnn({ options: { keyStore: undefined } });
  await start(identity);
  expect(own).toHaveLength(1);
});

test("a change by another tab is told, and not after the sign-in has ended", async () => {
  const { identity, otherTab, users } = await createAnn();
  const watcher = vi.fn();
  identity.watchers.add(watcher);
  await start(identity);
  await otherTab.update((record) => seeing(record));
  await until(() => users.length > 0);
  expect(watcher).toHaveBeenCalled();
  watcher.mockClear();
  identity.stop();
  expect(identity.isStopped).toBe(true);
  expect(watcher).toHaveBeenCalledTimes(1);
  await otherTab.update((record) => seeing(record, eve));
  await change(identity, (record) => seeing(record, 77));
  expect(users).toEqual(["Bob seen news", "Bob unknown"]);
});

test.for(["is read", "was read"])(
  "a sign-in that ends when the key %s no longer listens to other tabs",
  async (when) => {
    const subscribed = new Set<() => void>();
    const store: KeyStore = {
      ...createMemoryStore(),
      subscribe(_name, listener) {
        subscribed.add(listener);
        return () => void subscribed.delete(listener);
      },
    };
    const { identity, own } = await createAnn({ store });
    const starting = start(identity);
    if (when === "was read") await starting;
    expect(subscribed.size).toBe(when === "was read" ? 1 : 0);
    identity.stop();
    await starting;
    expect(own).toEqual(when === "was read" ? [expect.stringContaining("single"), "none"] : []);
    expect(subscribed.size).toBe(0);
  },
);

test("a reset ends every attempt, and another change those of other verdicts only", async () => {
  const { identity, open, closed, own } = await createAnn({ peers: ["Bob"] });
  await start(identity);
  open("Bob");
  const recheck = vi.spyOn(identity.links, "recheck");
  const watcher = vi.fn();
  identity.watchers.add(watcher);
  await change(identity, (record) => record);
  expect([recheck, watcher].map((called) => called.mock.calls.length)).toEqual([0, 0]);
  await change(identity, (record) => seeing(record));
  expect(recheck).toHaveBeenCalledExactlyOnceWith(identity.record);
  expect(watcher).toHaveBeenCalledTimes(1);
  expect(closed).toEqual([]);
  const before = identity.record.account;
  await identity.reset();
  expect(recheck).toHaveBeenCalledTimes(1);
  expect(closed).toMatchObject([{ code: "disconnected", message: expect.stringContaining("new identity") }]);
  expect(identity.record.account).not.toBe(before);
  expect(own).toHaveLength(2);
});

test("a reset resolves once apps know of it", async () => {
  const { update } = createMemoryStore();
  const { identity, own } = await createAnn({ store: { storesCryptoKeys: true, update } });
  await start(identity);
  await identity.reset();
  expect(own).toHaveLength(2);
});

test("a reset that cannot be stored fails, and the identity stays", async () => {
  const store = createMemoryStore();
  const { identity } = await createAnn({ store });
  await start(identity);
  const { record } = identity;
  const failure = new BonevalueError("unsupported", "The disk is full.");
  vi.spyOn(store, "update").mockRejectedValueOnce(failure);
  await expect(identity.reset()).rejects.toBe(failure);
  expect(identity.record).toBe(record);
});

test.for([
  ["Us", "unlinked"],
  ["Bob", "single"],
])("a refusal by %s leaves this device %s", async ([name, status]) => {
  const { identity, open, own, ending } = await createAnn({ peers: [name!] });
  await start(identity);
  open(name!);
  ending.resolve(new BonevalueError("identity-mismatch", "The peer has refused."));
  await ending.promise;
  await change(identity, (record) => record);
  expect(own.at(-1)).toBe(`${identity.record.account} ${status}`);
});

test("a second refusal by an own device changes nothing", async () => {
  const { identity, open, ending } = await createAnn({ peers: ["Us"] });
  await start(identity);
  await change(identity, (record) => ({ ...record, unlinked: true }));
  const { record } = identity;
  open("Us");
  ending.resolve(new BonevalueError("identity-mismatch", "The peer has refused."));
  await ending.promise;
  await change(identity, (known) => known);
  expect(identity.record).toBe(record);
});

test("a store that fails when an own device has refused is reported", async () => {
  const store = createMemoryStore();
  const { identity, open, ending } = await createAnn({ peers: ["Us"], store });
  await start(identity);
  const failure = new BonevalueError("unsupported", "The disk is full.");
  vi.spyOn(store, "update").mockRejectedValue(failure);
  const reported = vi.spyOn(console, "error").mockImplementation(() => {});
  open("Us");
  ending.resolve(new BonevalueError("identity-mismatch", "The peer has refused."));
  await until(() => reported.mock.calls.length > 0);
  expect(reported.mock.calls).toEqual([[failure]]);
});

test("a store that fails when another tab has written is reported", async () => {
  const store = createMemoryStore();
  const { identity, otherTab } = await createAnn({ store });
  await start(identity);
  const failure = new BonevalueError("unsupported", "The disk is full.");
  const reported = vi.spyOn(console, "error").mockImplementation(() => {});
  const { update } = store;
  await otherTab.update((record) => {
    vi.spyOn(store, "update").mockRejectedValue(failure);
    return seeing(record);
  });
  await until(() => reported.mock.calls.length > 0);
  expect(reported.mock.calls).toEqual([[failure]]);
  expect(await update("example.org Ann", (record) => record)).toMatchObject({ users: [{ alias: "Bob" }] });
});

test("the link of a peer that has gone ends without an error", async () => {
  const { identity, open, setPeers, ending, own } = await createAnn({ peers: ["Bob"] });
  await start(identity);
  open("Bob");
  setPeers();
  ending.resolve(new BonevalueError("identity-mismatch", "The peer has refused."));
  await ending.promise;
  await change(identity, (record) => record);
  expect(own).toHaveLength(1);
});

test("peers that are to answer a token are dialed once, and the own devices are not", async () => {
  const { identity, dialed, setPeers } = await createAnn({ peers: ["Bob", "Carol", "Dan", "Us"] });
  await start(identity);
  const claims = [
    { ...claim, until: future },
    { ...claim, alias: "Dan", answered: true },
    { ...claim, alias: "Us" },
  ];
  await change(identity, (record) => ({ ...record, claims }));
  const watcher = vi.fn();
  identity.watchers.add(watcher);
  await meet(identity);
  await meet(identity);
  expect(watcher).toHaveBeenCalledTimes(2);
  expect(dialed).toEqual(["Bob"]);
  setPeers("Carol");
  await meet(identity);
  expect(dialed).toEqual(["Bob"]);
});

test("the links of some peers are dialed again", async () => {
  const { identity, dialed } = await createAnn({ peers: ["Bob", "Carol"] });
  const end = vi.spyOn(identity.links, "end");
  const isConcerned = (alias: string, verified: boolean) => alias === "Bob" && !verified;
  redial(identity, isConcerned, "A token was claimed.");
  expect(end).toHaveBeenCalledExactlyOnceWith(
    isConcerned,
    expect.objectContaining({ message: expect.stringMatching(/^A token was claimed\./) }),
  );
  expect(dialed).toEqual(["Bob"]);
});

test("in a room the key is forgotten with the sign-in, and the secret derives the account and the room's name", async () => {
  const update = vi.fn();
  const store = { ...createMemoryStore(), update };
  const readSecret = vi.fn(async () => secret);
  const { identity } = await createAnn({ credentials: { room: "a room" }, options: { secret: readSecret }, store });
  expect(identity.isRoom).toBe(true);
  expect(identity.credentials).toEqual({ room: await deriveRoom(algorithms, secret) });
  await start(identity);
  const account = await deriveAccount(algorithms, secret, 1, "a room");
  expect(identity.record.account).toBe(Buffer.from(account.publicKey).toString("base64url"));
  expect(update).not.toHaveBeenCalled();
  expect(readSecret).toHaveBeenCalledTimes(1);
});

test("the account of a secret is derived for the user's name", async () => {
  const { identity } = await createAnn({ options: { secret } });
  expect(identity.isRoom).toBe(false);
  expect(identity.credentials).toEqual({ username: "Ann", password: "x" });
  await start(identity);
  const account = await deriveAccount(algorithms, secret, 0, "Ann");
  expect(identity.record).toMatchObject({
    account: Buffer.from(account.publicKey).toString("base64url"),
    derived: true,
  });
});

test("a secret that is too short is refused", async () => {
  for (const wrong of [new Uint8Array(15), "a secret of text"]) {
    const { identity } = await createAnn({ options: { secret: wrong as Uint8Array } });
    await expect(start(identity)).rejects.toMatchObject({ code: "invalid-request" });
  }
});
