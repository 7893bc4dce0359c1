import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { toBase64Url } from "../bytes.ts";
import { createPlatformAlgorithms } from "./algorithms.ts";
import { createDevice } from "./device.ts";
import { createIndexedDbStore, defaultKeyStore, type KeyStore, openDefaultStore } from "./key-store.ts";
import { indexedDbKeyStore, memoryKeyStore } from "./key-stores.ts";

const algorithms = createPlatformAlgorithms(crypto.subtle);
const name = "server ann";

afterEach(() => void vi.restoreAllMocks());

/** The name of a database that is deleted after the test. */
function databaseName(): string {
  const database = `test ${Math.random()}`;
  onTestFinished(() => void indexedDB.deleteDatabase(database));
  return database;
}

/** Three stores of one database, as three tabs have them. */
function stores() {
  const database = databaseName();
  return [1, 2, 3].map(() => createIndexedDbStore(database));
}

function succeeded(request: IDBOpenDBRequest): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = reject;
  });
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

test("another tab learns of a change, once it is stored and until the subscription ends", async () => {
  const [writer, reader] = stores();
  const ended = vi.fn();
  const undo = reader!.subscribe!(name, ended);
  const read: unknown[] = [];
  const notified = new Promise<void>((resolve) =>
    onTestFinished(
      reader!.subscribe!(name, async () => {
        const record = await reader!.update(name, (found) => found);
        read.push(record);
        if (record === "second") resolve();
      }),
    ),
  );
  undo();
  await writer!.update("another name", () => 1);
  await writer!.update(name, () => "first");
  await writer!.update(name, (record) => record);
  await vi.waitUntil(() => read.length > 0, { timeout: 30_000 });
  await writer!.update(name, () => "second");
  await notified;
  expect(read).toEqual(["first", "second"]);
  expect(ended).not.toHaveBeenCalled();
});

test("a change is reported even if the page is closed before it learns that it is written", async () => {
  const [writer, reader] = stores();
  vi.spyOn(IDBTransaction.prototype, "oncomplete", "set").mockImplementation(() => {});
  const read = new Promise((resolve) =>
    onTestFinished(reader!.subscribe!(name, () => resolve(reader!.update(name, (found) => found)))),
  );
  void writer!.update(name, () => "written");
  expect(await read).toBe("written");
});

test("a channel that has announced a change is closed", async () => {
  const close = vi.spyOn(BroadcastChannel.prototype, "close");
  await stores()[0]!.update(name, () => 1);
  expect(close).toHaveBeenCalledTimes(1);
});

test("a read does not wait until its transaction has ended", async () => {
  const [store] = stores();
  await store!.update(name, () => "kept");
  const order: string[] = [];
  const { transaction: begin } = IDBDatabase.prototype;
  const ended = new Promise<void>((resolve) => {
    vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(function (this: IDBDatabase, ...args) {
      const transaction = begin.apply(this, args);
      transaction.addEventListener("complete", () => {
        order.push("ended");
        resolve();
      });
      return transaction;
    });
  });
  await store!.update(name, (record) => record);
  order.push("read");
  await ended;
  expect(order).toEqual(["read", "ended"]);
});

test("a transaction that the browser aborts rejects with its error", async () => {
  const [store] = stores();
  const full = new DOMException("The disk is full.", "QuotaExceededError");
  vi.spyOn(IDBTransaction.prototype, "error", "get").mockReturnValue(full);
  vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (this: IDBObjectStore) {
    this.transaction.abort();
    return undefined as never;
  });
  await expect(store!.update(name, () => 1)).rejects.toBe(full);
});

test("a database is opened once, and again after the browser has closed it", async () => {
  const open = vi.spyOn(indexedDB, "open");
  const [store] = stores();
  await Promise.all([store!.update(name, () => "kept"), store!.update("another name", () => 1)]);
  await store!.update(name, (record) => record);
  expect(open).toHaveBeenCalledTimes(1);
  const { result } = open.mock.results[0]!.value;
  result.close();
  result.dispatchEvent(new Event("close"));
  expect(await store!.update(name, (record) => record)).toBe("kept");
  expect(open).toHaveBeenCalledTimes(2);
});

test("a database that cannot be opened rejects, and the next change tries again", async () => {
  const database = databaseName();
  // A later version of this library has made it.
  (await succeeded(indexedDB.open(database, 2))).close();
  const store = createIndexedDbStore(database);
  await expect(store.update(name, () => 1)).rejects.toMatchObject({ name: "VersionError" });
  await succeeded(indexedDB.deleteDatabase(database));
  expect(await store.update(name, () => 1)).toBe(1);
});

test("a database that was deleted is made anew by the next change", async () => {
  const database = databaseName();
  const store = createIndexedDbStore(database);
  await store.update(name, () => "lost");
  await succeeded(indexedDB.deleteDatabase(database));
  expect(await store.update(name, (record) => record)).toBeUndefined();
  expect(await store.update(name, () => "kept")).toBe("kept");
});

test("the default is the browser's store, or one in memory where the browser takes no new record", async () => {
  const browsers = createIndexedDbStore();
  const read = (store: KeyStore) => store.update("test", (record) => record);
  onTestFinished(() => browsers.update("test", () => undefined).then(() => {}));
  await (await defaultKeyStore()).update("test", () => "kept");
  expect([await read(browsers), await read(await openDefaultStore())]).toEqual(["kept", "kept"]);
  await browsers.update("", () => undefined);
  vi.spyOn(IDBObjectStore.prototype, "put").mockThrow(new DOMException("The disk is full.", "QuotaExceededError"));
  expect(await read(await openDefaultStore())).toBeUndefined();
});

test("the stores that apps pass keep what they are given", async () => {
  const database = databaseName();
  for (const create of [() => indexedDbKeyStore(database), memoryKeyStore]) {
    const store = create();
    const notified = new Promise<void>((resolve) => onTestFinished(store.subscribe!(name, resolve)));
    const other = create === memoryKeyStore ? store : create();
    await other.update(name, () => "kept");
    await notified;
    expect(await store.update(name, (record) => record)).toBe("kept");
  }
});
