import { expect, onTestFinished, test } from "vitest";
import { toBase64Url } from "../bytes.ts";
import { createPlatformAlgorithms } from "./algorithms.ts";
import { createDevice } from "./device.ts";
import { createIndexedDbStore, defaultKeyStore } from "./key-store.ts";
import { indexedDbKeyStore, memoryKeyStore } from "./key-stores.ts";

const algorithms = createPlatformAlgorithms(crypto.subtle);
const name = "server ann";

/** Three stores of one database, as three tabs have them. */
function stores() {
  const database = `test ${Math.random()}`;
  onTestFinished(() => void indexedDB.deleteDatabase(database));
  return [1, 2, 3].map(() => createIndexedDbStore(database));
}

test("twenty-four openings at once make one key, which signs and cannot be exported", async () => {
  const shared = stores();
  const opened = await Promise.all(
    Array.from({ length: 24 }, (_, index) => createDevice({ algorithms, store: shared[index % 3]!, name }).read()),
  );
  expect(new Set(opened.map(({ key }) => toBase64Url(key.publicKey))).size).toBe(1);
  const { key, record } = opened[0]!;
  expect(await algorithms.verify(key.publicKey, await key.sign(key.publicKey), key.publicKey)).toBe(true);
  const { privateKey } = record.device;
  expect(privateKey).toBeInstanceOf(CryptoKey);
  await expect(crypto.subtle.exportKey("pkcs8", privateKey as CryptoKey)).rejects.toThrow();
});

test("changes of several tabs are applied one after the other", async () => {
  const shared = stores();
  const add = (record: unknown) => ((record as number | undefined) ?? 0) + 1;
  await Promise.all(Array.from({ length: 30 }, (_, index) => shared[index % 3]!.update(name, add)));
  expect(await shared[0]!.update(name, (record) => record)).toBe(30);
});

test("a change that throws rejects, and leaves the record as it was", async () => {
  const [store] = stores();
  await store!.update(name, () => "kept");
  const error = new Error("no");
  const failing = store!.update(name, () => {
    throw error;
  });
  await expect(failing).rejects.toBe(error);
  expect(await store!.update(name, (record) => record)).toBe("kept");
});

test("another tab learns of a change", async () => {
  const [writer, reader] = stores();
  const notified = new Promise<void>((resolve) => onTestFinished(reader!.subscribe!(name, resolve)));
  await writer!.update("another name", () => 1);
  await writer!.update(name, () => 1);
  await notified;
});

test("a database that was deleted is made anew by the next change", async () => {
  const database = `test ${Math.random()}`;
  onTestFinished(() => void indexedDB.deleteDatabase(database));
  const store = createIndexedDbStore(database);
  await store.update(name, () => "lost");
  await new Promise((resolve, reject) => {
    const deleting = indexedDB.deleteDatabase(database);
    deleting.onsuccess = resolve;
    deleting.onblocked = reject;
  });
  expect(await store.update(name, (record) => record)).toBeUndefined();
  expect(await store.update(name, () => "kept")).toBe("kept");
});

test("the default is the browser's store", async () => {
  const { indexedDB } = globalThis;
  expect((await defaultKeyStore()).storesCryptoKeys).toBe(true);
  const store = await defaultKeyStore();
  onTestFinished(() => store.update("test", () => undefined).then(() => {}));
  await store.update("test", () => "kept");
  expect(await (await defaultKeyStore()).update("test", (record) => record)).toBe("kept");
  expect(indexedDB).toBeDefined();
});

test("the stores that apps pass keep what they are given", async () => {
  const database = `test ${Math.random()}`;
  onTestFinished(() => void indexedDB.deleteDatabase(database));
  for (const create of [() => indexedDbKeyStore(database), memoryKeyStore]) {
    const store = create();
    const notified = new Promise<void>((resolve) => onTestFinished(store.subscribe!(name, resolve)));
    const other = create === memoryKeyStore ? store : create();
    await other.update(name, () => "kept");
    await notified;
    expect(await store.update(name, (record) => record)).toBe("kept");
  }
});
