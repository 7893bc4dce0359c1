import { describe, expect, test, vi } from "vitest";
import { toBase64Url } from "../bytes.ts";
import { createPlatformAlgorithms } from "./algorithms.ts";
import { createDevice, type DeviceOptions } from "./device.ts";
import { createFallbackAlgorithms } from "./fallback-algorithms.ts";
import { createMemoryStore, defaultKeyStore, type KeyStore } from "./key-store.ts";
import { isChainSigned } from "./proof.ts";
import { ownChain } from "./record.ts";
import { deriveAccount } from "./tokens.ts";

const algorithms = createPlatformAlgorithms(crypto.subtle);
const name = "server ann";

const deriveAccountOf = (user: string) => deriveAccount(algorithms, new Uint8Array(16).fill(5), 0, user);

/** Opens a device and reads its key. */
async function openDevice(options: DeviceOptions) {
  const device = createDevice(options);
  const { key } = await device.read();
  return { ...device, key };
}

test("a device keeps its key, and another name has another key", async () => {
  const store = createMemoryStore();
  const first = await openDevice({ algorithms, store, name });
  const again = await openDevice({ algorithms, store, name });
  const other = await openDevice({ algorithms, store, name: "server bob" });
  expect(again.key.publicKey).toEqual(first.key.publicKey);
  expect(other.key.publicKey).not.toEqual(first.key.publicKey);
  expect((await first.read()).record.account).toBe(toBase64Url(first.key.publicKey));
});

test("the key of WebCrypto cannot be exported", async () => {
  const { read } = await openDevice({ algorithms, store: createMemoryStore(), name });
  const { privateKey } = (await read()).record.device;
  expect(privateKey).toBeInstanceOf(CryptoKey);
  await expect(crypto.subtle.exportKey("pkcs8", privateKey as CryptoKey)).rejects.toThrow();
});

test("of devices that are opened at once with one store, all have the same key", async () => {
  const store = createMemoryStore();
  const opened = await Promise.all(Array.from({ length: 20 }, () => openDevice({ algorithms, store, name })));
  expect(new Set(opened.map(({ key }) => toBase64Url(key.publicKey))).size).toBe(1);
});

test("a key is opened once for all reads", async () => {
  const fromSeed = vi.fn(algorithms.fromSeed);
  const store = { ...createMemoryStore(), storesCryptoKeys: false };
  await createDevice({ algorithms, store, name }).read();
  const { read } = createDevice({ algorithms: { ...algorithms, fromSeed }, store, name });
  await Promise.all([read(), read()]);
  expect(fromSeed).toHaveBeenCalledTimes(1);
});

test("a change of a record that another tab has deleted makes a new one", async () => {
  const store = createMemoryStore();
  const { update, key } = await openDevice({ algorithms, store, name });
  await createDevice({ algorithms, store, name }).reset();
  const record = await update((own) => ({ ...own, unlinked: true }));
  expect(record).toMatchObject({ unlinked: false });
  expect(record.account).not.toBe(toBase64Url(key.publicKey));
});

test("a change of a record that exists makes no key, and does not ask for the account's secret", async () => {
  const store = createMemoryStore();
  await openDevice({ algorithms, store, name });
  const deriveAccount = vi.fn(() => deriveAccountOf("ann"));
  await createDevice({ algorithms, store, name, deriveAccount }).update((own) => ({ ...own, unlinked: true }));
  expect(deriveAccount).not.toHaveBeenCalled();
});

describe("a store", () => {
  /** Opens a device with a subscription. */
  async function openSubscribed(store: KeyStore) {
    const updates = vi.spyOn(store, "update");
    const device = await openDevice({ algorithms, store, name });
    const unsubscribe = device.subscribe(() => {});
    await device.read();
    updates.mockClear();
    return { ...device, unsubscribe, updates };
  }

  test("that reports changes is read only after one, by this tab or another", async () => {
    const store = createMemoryStore();
    const otherTab = createDevice({ algorithms, store: { ...store }, name });
    const { read, update, reset, key, updates } = await openSubscribed(store);
    expect(await Promise.all([read(), read()])).toMatchObject([{ key }, { key }]);
    expect(updates).not.toHaveBeenCalled();
    await otherTab.update((own) => ({ ...own, unlinked: true }));
    expect((await read()).record.unlinked).toBe(true);
    await update((own) => ({ ...own, unlinked: false }));
    expect((await read()).record.unlinked).toBe(false);
    await otherTab.reset();
    const { publicKey } = (await read()).key;
    expect(publicKey).not.toEqual(key.publicKey);
    await reset();
    expect((await read()).key.publicKey).not.toEqual(publicKey);
  });

  test("that reports nothing of a change by this tab is read after it", async () => {
    const { read, update, reset, key } = await openSubscribed({ ...createMemoryStore(), subscribe: () => () => {} });
    await update((own) => ({ ...own, unlinked: true }));
    expect((await read()).record.unlinked).toBe(true);
    await reset();
    expect((await read()).key.publicKey).not.toEqual(key.publicKey);
  });

  test("that reports changes is read again by a tab that may have missed one", async () => {
    const { read, forget, updates } = await openSubscribed(createMemoryStore());
    forget();
    await Promise.all([read(), read()]);
    expect(updates).toHaveBeenCalledTimes(1);
  });

  test.for(["reports no changes", "no longer reports changes"])("that %s is read each time", async (which) => {
    const { subscribe, ...others } = createMemoryStore();
    const store = which === "reports no changes" ? others : { ...others, subscribe: subscribe! };
    const { read, unsubscribe, updates } = await openSubscribed(store);
    unsubscribe();
    await read();
    await read();
    expect(updates).toHaveBeenCalledTimes(2);
  });

  test("is read after a second subscription, which does not know of changes before it", async () => {
    const store = createMemoryStore();
    const otherTab = createDevice({ algorithms, store: { ...store }, name });
    const { read, subscribe, unsubscribe } = await openSubscribed(store);
    unsubscribe();
    await otherTab.update((own) => ({ ...own, unlinked: true }));
    subscribe(() => {});
    expect((await read()).record.unlinked).toBe(true);
  });

  test("whose subscription returns nothing can be used", async () => {
    const { unsubscribe } = await openSubscribed({ ...createMemoryStore(), subscribe: (() => {}) as never });
    expect(unsubscribe).not.toThrow();
  });

  test("that has failed is read again", async () => {
    const { read, forget, key, updates } = await openSubscribed(createMemoryStore());
    forget();
    updates.mockRejectedValueOnce(new Error("The disk is full."));
    await expect(read()).rejects.toMatchObject({ code: "unsupported" });
    expect(await read()).toMatchObject({ key });
  });
});

test("an error of the account's secret is passed on, and the secret is asked for once", async () => {
  let asked = 0;
  const device = createDevice({
    algorithms,
    store: createMemoryStore(),
    name,
    async deriveAccount() {
      asked++;
      throw new Error("The prompt was closed.");
    },
  });
  await expect(device.read()).rejects.toThrow("The prompt was closed.");
  expect(asked).toBe(1);
});

/** A store that fails to store CryptoKeys in some way. It returns what was passed to it, as the store of browsers does. */
function brokenStore(write: (record: any) => unknown): KeyStore {
  const store = createMemoryStore();
  return {
    ...store,
    async update(key, change) {
      let next: any;
      await store.update(key, (before) => {
        next = change(before);
        return next === before || typeof next.device.privateKey === "string" ? next : write(next);
      });
      return next;
    },
  };
}

test.for([
  [
    "rejects",
    () => {
      throw new DOMException("It cannot be cloned.", "DataCloneError");
    },
  ],
  ["damages", (record: any) => ({ ...record, device: { ...record.device, privateKey: {} } })],
] as const)("in a store that %s a CryptoKey, the device has a seed", async ([, write]) => {
  const store = brokenStore(write);
  const first = await openDevice({ algorithms, store, name });
  expect(typeof (await first.read()).record.device.privateKey).toBe("string");
  const again = await openDevice({ algorithms, store, name });
  expect(again.key.publicKey).toEqual(first.key.publicKey);
});

test("a key that another tab deletes before it is read back is written again", async () => {
  const { update: write } = createMemoryStore();
  const update = vi.fn<KeyStore["update"]>(async (key, change) => {
    const next = await write(key, change);
    // The first update finds nothing, and the second one writes.
    if (update.mock.calls.length === 2) await write(key, () => undefined);
    return next;
  });
  const { record } = await createDevice({ algorithms, store: { storesCryptoKeys: true, update }, name }).read();
  expect(record.device.privateKey).toBeInstanceOf(CryptoKey);
  expect(await write(name, (found) => found)).toEqual(record);
});

test("a store that fails rejects with the cause", async () => {
  const cause = new Error("The disk is full.");
  const store: KeyStore = { storesCryptoKeys: false, update: () => Promise.reject(cause) };
  await expect(openDevice({ algorithms, store, name })).rejects.toMatchObject({ code: "unsupported", cause });
  await expect(createDevice({ algorithms, store, name }).reset()).rejects.toMatchObject({ code: "unsupported", cause });
});

test("a seed in the store works with either implementation", async () => {
  const store: KeyStore = { ...createMemoryStore(), storesCryptoKeys: false };
  const first = await openDevice({ algorithms: createFallbackAlgorithms(), store, name });
  const again = await openDevice({ algorithms, store, name });
  expect(again.key.publicKey).toEqual(first.key.publicKey);
});

test("devices of an account with a secret approve themselves, and have different keys", async () => {
  const devices = await Promise.all(
    [1, 2].map(() =>
      openDevice({ algorithms, store: createMemoryStore(), name, deriveAccount: () => deriveAccountOf("ann") }),
    ),
  );
  const accounts = new Set<string>();
  for (const { key, read } of devices) {
    const { record } = await read();
    const { account, chain } = ownChain(record);
    accounts.add(record.account);
    expect(await isChainSigned(algorithms, account, chain)).toBe(true);
    expect(chain.at(-1)!.key).toEqual(key.publicKey);
  }
  expect(accounts.size).toBe(1);
  expect(devices[0]!.key.publicKey).not.toEqual(devices[1]!.key.publicKey);
});

test("after a reset in another tab a device has the new key", async () => {
  const store = createMemoryStore();
  const first = await openDevice({ algorithms, store, name });
  const stale = await openDevice({ algorithms, store, name });
  await first.reset();
  const { key, record } = await first.read();
  expect(key.publicKey).not.toEqual(first.key.publicKey);
  expect((await stale.read()).key.publicKey).toEqual(key.publicKey);
  await first.reset();
  expect((await stale.update((known) => known)).account).not.toBe(record.account);
});

test("clients without a store of their own are one device in this process", async () => {
  const store = await defaultKeyStore();
  expect(store.storesCryptoKeys).toBe(true);
  expect(await defaultKeyStore()).toBe(store);
});

test("a subscriber of a store learns of changes of its name only", async () => {
  const store = createMemoryStore();
  const changes: string[] = [];
  const undo = store.subscribe!("a", () => changes.push("a"));
  const undoOther = store.subscribe!("a", () => changes.push("a, too"));
  await store.update("b", () => 1);
  await store.update("a", () => 1);
  await store.update("a", (record) => record);
  undo();
  await store.update("a", () => 2);
  undoOther();
  await store.update("a", () => 3);
  expect(changes).toEqual(["a", "a, too", "a, too"]);
});
