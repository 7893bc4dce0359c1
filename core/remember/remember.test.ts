import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Client, ClientOptions } from "../client.ts";
import { createNetwork, type Network } from "../testing/network.ts";
import { createVirtualClock, type VirtualClock } from "../testing/virtual-clock.ts";
import type { RememberScope } from "./remember.ts";
import { createFakeBrowser, type FakeBrowser } from "./testing/fake-browser.ts";

interface Stored {
  readonly host: string;
  readonly credentials: object;
}

let clock: VirtualClock;
let network: Network;
let browser: FakeBrowser;
/** The digests that are being computed, in real time. */
let digests: Set<Promise<unknown>>;

beforeEach(() => {
  digests = new Set();
  const digest = crypto.subtle.digest.bind(crypto.subtle);
  vi.spyOn(crypto.subtle, "digest").mockImplementation((...args) => {
    const result = digest(...args);
    digests.add(result);
    return result.finally(() => digests.delete(result));
  });
  clock = createVirtualClock();
  network = createNetwork({ clock, latency: 5 });
  browser = createFakeBrowser();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** Creates a client in a page, whose storages and locks are the platform's from now on. */
function clientIn(page: Partial<RememberScope>, remember: ClientOptions["remember"] = "tab"): Client {
  for (const name of ["sessionStorage", "localStorage", "navigator"] as const) vi.stubGlobal(name, page[name]);
  return network.client("ann", { remember });
}

/** Lets time pass until `result` settles. Returns the code of an error. */
async function outcome<Result>(result: Promise<Result>): Promise<Result | string> {
  let done = false;
  const settled = result.catch((error) => error.code as string).finally(() => (done = true));
  while (!done) {
    // Virtual time stands still while digests are computed: on a busy machine a timeout would come first.
    await Promise.all(digests);
    await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(10);
  }
  return settled;
}

/** Signs in, and waits until this kind of secret is stored. */
async function signIn(client: Client, kind: "session" | "device" = "session"): Promise<string> {
  await outcome(client.connect("test", "ann", ""));
  // A session is stored after the digest of its secret.
  await outcome(vi.waitFor(() => expect(browser.stored().some(([, value]) => value.includes(kind))).toBe(true)));
  return client.getId()!;
}

/** Waits until the browser has this number of different secrets. */
async function untilStored(secrets: number): Promise<void> {
  await outcome(vi.waitFor(() => expect(new Set(browser.stored().map(([, value]) => value)).size).toBe(secrets)));
}

test("nothing is stored by default, and there is nothing to resume", async () => {
  clientIn(browser.open().scope);
  const client = network.client("ann");
  await outcome(client.connect("test", "ann", ""));
  expect(browser.stored()).toEqual([]);
  await outcome(client.disconnect());
  expect(await outcome(client.resume())).toBe(false);
});

test("a reloaded page comes back as the same peer, without credentials", async () => {
  const page = browser.open();
  const id = await signIn(clientIn(page.scope));
  const next = page.reload();
  const reloaded = clientIn(next.scope);
  expect(await outcome(reloaded.resume())).toBe(true);
  expect(reloaded.self.peek()).toEqual({ id, username: "ann" });
  const again = clientIn(next.reload().scope);
  expect(await outcome(again.resume())).toBe(true);
  expect(again.getId()).toBe(id);
});

test("a tab that is duplicated ten times in a row is eleven peers, and the first goes on", async () => {
  const page = browser.open();
  const first = clientIn(page.scope);
  const ids = new Set([await signIn(first)]);
  let last = page;
  for (let copy = 0; copy < 10; copy++) {
    last = browser.open(last);
    const client = clientIn(last.scope);
    expect(await outcome(client.resume())).toBe(true);
    ids.add(client.getId()!);
    // Before that, the tab still has the copied secret, and a reload would make another copy.
    await untilStored(copy + 2);
  }
  expect(ids.size).toBe(11);
  expect(first.status.peek()).toBe("online");
  const reloaded = clientIn(last.reload().scope);
  expect(await outcome(reloaded.resume())).toBe(true);
  expect(ids).toContain(reloaded.getId());
});

test('a new tab has nothing to resume with "tab", and is a new peer with "device"', async () => {
  await signIn(clientIn(browser.open().scope, "tab"));
  expect(await outcome(clientIn(browser.open().scope, "tab").resume())).toBe(false);
  const id = await signIn(clientIn(browser.open().scope, "device"));
  const tab = clientIn(browser.open().scope, "device");
  expect(await outcome(tab.resume())).toBe(true);
  expect(tab.getId()).not.toBe(id);
});

test('with "device" a reload is the same peer', async () => {
  const page = browser.open();
  const id = await signIn(clientIn(page.scope, "device"));
  const reloaded = clientIn(page.reload().scope, "device");
  expect(await outcome(reloaded.resume())).toBe(true);
  expect(reloaded.getId()).toBe(id);
});

test("disconnect keeps what is stored, and signOut ends the session and forgets it", async () => {
  const page = browser.open();
  const client = clientIn(page.scope);
  const id = await signIn(client);
  await outcome(client.disconnect());
  expect(await outcome(client.resume())).toBe(true);
  expect(client.getId()).toBe(id);
  const [, copy] = browser.stored()[0]!;
  await outcome(client.signOut());
  expect(client.status.peek()).toBe("offline");
  expect(browser.stored()).toEqual([]);
  expect(await outcome(client.resume())).toBe(false);
  page.scope.sessionStorage?.setItem("bonevalue:", copy);
  expect(await outcome(client.resume())).toBe(false);
});

test("signOut of a client that is offline ends its stored session, too", async () => {
  const page = browser.open();
  const client = clientIn(page.scope);
  await signIn(client);
  const [, copy] = browser.stored()[0]!;
  await outcome(client.disconnect());
  await outcome(client.signOut());
  page.scope.sessionStorage?.setItem("bonevalue:", copy);
  expect(await outcome(client.resume())).toBe(false);
});

test("a sign-in during the signOut of a client that was offline stays, and is remembered", async () => {
  const page = browser.open();
  const client = clientIn(page.scope);
  await signIn(client);
  await outcome(client.disconnect());
  const signedOut = client.signOut();
  await new Promise((resolve) => setImmediate(resolve));
  const connected = client.connect("test", "ann", "");
  expect([await outcome(signedOut), await outcome(connected)]).toEqual([undefined, undefined]);
  expect(client.status.peek()).toBe("online");
  await outcome(vi.waitFor(() => expect(browser.stored()).toHaveLength(1)));
  const reloaded = clientIn(page.reload().scope);
  expect(await outcome(reloaded.resume())).toBe(true);
  expect(reloaded.getId()).toBe(client.getId());
});

test("signOut of a client that has never signed in does nothing", async () => {
  expect(await outcome(clientIn(browser.open().scope, "device").signOut())).toBeUndefined();
});

test.each([
  ["with Web Locks", {}],
  ["without", { navigator: {} }],
])("signOut in a new tab ends the device that the browser has stored: %s", async (_, platform) => {
  const open = () => ({ ...browser.open().scope, ...platform });
  const first = clientIn(open(), "device");
  await signIn(first, "device");
  const devices = () => browser.stored().filter(([, value]) => value.includes("device"));
  const [[name, copy]] = devices() as [readonly [string, string]];
  const tab = open();
  await outcome(clientIn(tab, "device").signOut());
  await clock.advance(100);
  expect([devices(), first.status.peek()]).toEqual([[], "offline"]);
  tab.localStorage!.setItem(name, copy);
  expect(await outcome(clientIn(open(), "device").resume())).toBe(false);
});

test("signOut of a copied tab that has not resumed leaves the session of the first tab", async () => {
  const page = browser.open();
  const first = clientIn(page.scope);
  const id = await signIn(first);
  expect(await outcome(clientIn(browser.open(page).scope).signOut())).toBeUndefined();
  await clock.advance(100);
  expect(first.status.peek()).toBe("online");
  const reloaded = clientIn(page.reload().scope);
  expect(await outcome(reloaded.resume())).toBe(true);
  expect(reloaded.getId()).toBe(id);
});

test("signOut rejects with `unreachable` while the server does not answer, and forgets what is stored here", async () => {
  const client = clientIn(browser.open().scope);
  await signIn(client);
  await outcome(client.disconnect());
  network.discovery.interrupt();
  expect(await outcome(client.signOut())).toBe("unreachable");
  expect(browser.stored()).toEqual([]);
});

test("signOut ends every tab of the device, which are signed out without an error of theirs", async () => {
  const client = clientIn(browser.open().scope, "device");
  await signIn(client);
  const tab = clientIn(browser.open().scope, "device");
  await outcome(tab.resume());
  const reasons: (string | undefined)[] = [];
  tab.on("disconnect", (reason) => reasons.push(reason?.code));
  await outcome(client.signOut());
  await clock.advance(100);
  expect(reasons).toEqual(["unauthenticated"]);
  expect(await outcome(tab.resume())).toBe(false);
});

test("resume rejects with `unreachable` while the server does not answer, and keeps the secret", async () => {
  const page = browser.open();
  const id = await signIn(clientIn(page.scope));
  network.discovery.interrupt();
  const reloaded = clientIn(page.reload().scope);
  expect(await outcome(reloaded.resume())).toBe("unreachable");
  network.discovery.restore();
  expect(await outcome(reloaded.resume())).toBe(true);
  expect(reloaded.getId()).toBe(id);
});

test("concurrent calls of resume share one attempt, and a later call after a sign-in is true", async () => {
  const page = browser.open();
  await signIn(clientIn(page.scope));
  const reloaded = clientIn(page.reload().scope);
  const connects = vi.fn();
  reloaded.on("connect", connects);
  const first = reloaded.resume();
  expect(reloaded.resume()).toBe(first);
  expect(await outcome(first)).toBe(true);
  expect(await outcome(reloaded.resume())).toBe(true);
  expect(connects).toHaveBeenCalledOnce();
});

test("a sign-in that starts while resume is loading wins, and resume waits for it", async () => {
  const page = browser.open();
  const id = await signIn(clientIn(page.scope));
  const reloaded = clientIn(page.reload().scope);
  const resumed = reloaded.resume();
  const connected = reloaded.connect("test", "ann", "");
  expect(await outcome(resumed)).toBe(true);
  expect(await outcome(connected)).toBeUndefined();
  expect(reloaded.getId()).not.toBe(id);
});

test("disconnect cancels a resume that is loading, and a new resume signs in", async () => {
  const page = browser.open();
  const id = await signIn(clientIn(page.scope));
  const reloaded = clientIn(page.reload().scope);
  const cancelled = reloaded.resume();
  await reloaded.disconnect();
  const resumed = reloaded.resume();
  expect(await outcome(cancelled)).toBe("cancelled");
  expect(await outcome(resumed)).toBe(true);
  expect(reloaded.getId()).toBe(id);
});

test.each([
  ["no JSON", "{"],
  ["another type", '"text"'],
  ["null", "null"],
  ["no host", '{"credentials":{"session":"x"}}'],
  ["no credentials", '{"host":"test"}'],
  ["a password", '{"host":"test","credentials":{"username":"ann","password":""}}'],
  ["a secret that is no string", '{"host":"test","credentials":{"session":{"length":1}}}'],
  ["a prototype", '{"host":"test","credentials":{"__proto__":{"session":"x"}}}'],
  ["an unknown session", '{"host":"test","credentials":{"session":"x"}}'],
  ["an unknown device", '{"host":"test","credentials":{"device":"x"}}'],
])("a stored session that was tampered with, %s, is not resumed", async (_, stored) => {
  const page = browser.open();
  page.scope.sessionStorage?.setItem("bonevalue:", stored);
  page.scope.localStorage?.setItem("bonevalue:", stored);
  expect(await outcome(clientIn(page.scope, "device").resume())).toBe(false);
  const client = clientIn(page.scope, "device");
  await outcome(client.connect("test", "ann", ""));
  expect(client.status.peek()).toBe("online");
});

test.each([
  ["its host", ({ credentials }: Stored) => ({ credentials })],
  ["a text for its host", ({ credentials }: Stored) => ({ host: {}, credentials })],
  ["only texts", ({ host, credentials }: Stored) => ({ host, credentials: { ...credentials, as: {} } })],
])("a stored session without %s is not resumed, although its secret is valid", async (_, tamper) => {
  const page = browser.open();
  await signIn(clientIn(page.scope));
  const [[name, text]] = browser.stored() as [readonly [string, string]];
  const next = page.reload();
  next.scope.sessionStorage!.setItem(name, JSON.stringify(tamper(JSON.parse(text))));
  expect(await outcome(clientIn(next.scope).resume())).toBe(false);
});

test("a stored secret that the server refuses is removed", async () => {
  const page = browser.open();
  page.scope.sessionStorage!.setItem("bonevalue:", '{"host":"test","credentials":{"session":"x"}}');
  expect(await outcome(clientIn(page.scope).resume())).toBe(false);
  expect(browser.stored()).toEqual([]);
});

test("storages that throw a SecurityError are as empty ones: the client signs in, and nothing is resumed", async () => {
  const blocked = {
    get sessionStorage(): Storage {
      throw new DOMException("The storage is blocked.", "SecurityError");
    },
    get localStorage(): Storage {
      throw new DOMException("The storage is blocked.", "SecurityError");
    },
  };
  const { navigator } = browser.open().scope;
  vi.stubGlobal("navigator", navigator);
  for (const name of ["sessionStorage", "localStorage"] as const)
    Object.defineProperty(globalThis, name, { get: () => blocked[name], configurable: true });
  try {
    for (const remember of ["tab", "device"] as const) {
      const client = network.client("ann", { remember });
      expect(await outcome(client.resume())).toBe(false);
      expect(await outcome(client.connect("test", "ann", ""))).toBeUndefined();
      expect(await outcome(client.signOut())).toBeUndefined();
    }
  } finally {
    for (const name of ["sessionStorage", "localStorage"] as const) Reflect.deleteProperty(globalThis, name);
  }
});

test("a storage that is full stores nothing, and the client signs in", async () => {
  const page = browser.open();
  const setItem = () => {
    throw new DOMException("The quota is exceeded.", "QuotaExceededError");
  };
  const full = { getItem: () => null, removeItem: () => {}, setItem } as unknown as Storage;
  const client = clientIn({ ...page.scope, sessionStorage: full, localStorage: full }, "device");
  expect(await outcome(client.connect("test", "ann", ""))).toBeUndefined();
  await outcome(client.disconnect());
  expect(await outcome(client.resume())).toBe(false);
});

test('without Web Locks "tab" behaves as "device", and guests are not remembered', async () => {
  const open = () => ({ ...browser.open().scope, navigator: {} });
  const id = await signIn(clientIn(open(), "tab"), "device");
  const other = clientIn(open(), "tab");
  expect(await outcome(other.resume())).toBe(true);
  expect(other.getId()).not.toBe(id);
  await outcome(other.signOut());
  const guest = clientIn(open(), "tab");
  await outcome(guest.connect("test", { room: "demo", name: "Ann" }));
  await outcome(guest.disconnect());
  expect(await outcome(guest.resume())).toBe(false);
});

test("a guest of a room comes back as the same peer", async () => {
  const page = browser.open();
  const guest = clientIn(page.scope);
  await outcome(guest.connect("test", { room: "demo", name: "Ann" }));
  await outcome(vi.waitFor(() => expect(browser.stored()).toHaveLength(1)));
  const reloaded = clientIn(page.reload().scope);
  expect(await outcome(reloaded.resume())).toBe(true);
  expect(reloaded.self.peek()).toEqual({ id: guest.getId(), username: "Ann", room: "demo" });
});

test("each app and each key has an entry of its own", async () => {
  const page = browser.open();
  await signIn(clientIn(page.scope));
  expect(browser.stored().map(([name]) => name)).toEqual(["bonevalue:"]);
  const reloaded = page.reload();
  expect(await outcome(clientIn(reloaded.scope, { in: "tab", key: "other" }).resume())).toBe(false);
  expect(await outcome(network.client("ann", { remember: "tab", app: "todo" }).resume())).toBe(false);
});

test.each(["window", "", true, {}, { in: "page" }, { in: "tab", key: 7 }, null])(
  "%j is no place to remember",
  (remember) => {
    expect(() => network.client("ann", { remember: remember as "tab" })).toThrow(
      expect.objectContaining({ code: "invalid-request" }),
    );
  },
);

test("devices are listed, and a forgotten one is signed out", async () => {
  const laptop = clientIn(browser.open().scope, "device");
  await signIn(laptop);
  const phone = clientIn(createFakeBrowser().open().scope, "device");
  await outcome(phone.connect("test", "ann", ""));
  const devices = (await outcome(laptop.devices())) as Awaited<ReturnType<Client["devices"]>>;
  expect(devices.map(({ current }) => current)).toEqual([true, false]);
  expect(devices[0]!.lastUsed).toBeInstanceOf(Date);
  await outcome(laptop.forgetDevice(devices[1]!.id));
  await clock.advance(100);
  expect([laptop.status.peek(), phone.status.peek()]).toEqual(["online", "offline"]);
  expect(await outcome(phone.resume())).toBe(false);
});

test("a changed password forgets every other device", async () => {
  const laptop = clientIn(browser.open().scope, "device");
  await signIn(laptop);
  const phone = clientIn(createFakeBrowser().open().scope, "device");
  await outcome(phone.connect("test", "ann", ""));
  await outcome(laptop.changePassword("", "a new password"));
  expect(await outcome(laptop.devices())).toMatchObject([{ current: true }]);
  expect(await outcome(phone.resume())).toBe(false);
});

test("devices need a sign-in, and a discovery that has them", async () => {
  const client = clientIn(browser.open().scope);
  expect(await outcome(client.devices())).toBe("not-connected");
  expect(await outcome(client.forgetDevice("x"))).toBe("not-connected");
  expect(await outcome(client.forgetDevice(7 as unknown as string))).toBe("invalid-request");
});
