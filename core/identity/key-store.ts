import { BonevalueError } from "../errors.ts";
import { createEmitter } from "../events.ts";

/** Stores keys and the data of other users, under one name for each account and server. */
export interface KeyStore {
  /** Whether it stores `CryptoKey` objects. IndexedDB does: private keys can be used but not read. A file stores bytes only. */
  readonly storesCryptoKeys: boolean;
  /**
   * Reads the record, applies `change` (synchronous), and writes and returns the result, in one step for all tabs and processes
   * that share the store. A missing record is `undefined`.
   */
  update(name: string, change: (record: unknown) => unknown): Promise<unknown>;
  /**
   * Calls `listener` after every write by another tab, another process or another client of this page, and perhaps after those of the
   * same client. Returns a function that ends the subscription. What is not reported counts only after the next sign-in or
   * reconnection: leave `subscribe` out if the store cannot report everything, and the record is read for every link.
   */
  subscribe?(name: string, listener: () => void): () => void;
}

const records = "records";

/** Stores keys in this browser profile. Private keys cannot be read by scripts. All tabs of the origin share them. */
export function createIndexedDbStore(database = "bonevalue"): KeyStore {
  let opening: Promise<IDBDatabase> | undefined;

  function open(): Promise<IDBDatabase> {
    opening ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(database, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(records);
      request.onsuccess = () => {
        const { result } = request;
        // The user has deleted the site's data, or the browser has lost the database: the next update opens it again.
        const forget = () => (opening = undefined);
        result.onclose = forget;
        result.onversionchange = () => {
          result.close();
          forget();
        };
        resolve(result);
      };
      request.onerror = () => reject(request.error);
    });
    opening.catch(() => (opening = undefined));
    return opening;
  }

  return {
    storesCryptoKeys: true,
    async update(name, change) {
      const transaction = (await open()).transaction(records, "readwrite");
      const store = transaction.objectStore(records);
      return new Promise((resolve, reject) => {
        let thrown: unknown;
        let next: unknown;
        transaction.oncomplete = () => resolve(next);
        transaction.onabort = () => reject(thrown ?? transaction.error);
        const reading = store.get(name);
        reading.onsuccess = () => {
          try {
            next = change(reading.result);
            // Links wait for a read, and not for the end of its transaction.
            if (next === reading.result) return resolve(next);
            store.put(next, name);
            // This page may be closed before it learns that the transaction has ended. Readers wait for that.
            notify(database, name);
          } catch (error) {
            thrown = error;
            transaction.abort();
          }
        };
      });
    },
    subscribe(name, listener) {
      const channel = new BroadcastChannel(channelOf(database, name));
      channel.onmessage = () => listener();
      return () => channel.close();
    },
  };
}

/** Stores keys until the page or process ends. */
export function createMemoryStore(): KeyStore {
  const stored = new Map<string, unknown>();
  const changes = createEmitter<Record<string, () => void>>();
  return {
    storesCryptoKeys: true,
    async update(name, change) {
      const before = stored.get(name);
      const next = change(before);
      stored.set(name, next);
      if (next !== before) changes.emit(name);
      return next;
    },
    subscribe: changes.on,
  };
}

// One for this page or process: all clients of one user in it are one device.
let defaultStore: Promise<KeyStore> | undefined;

/** The store of clients without the option: of the browser, or in memory where there is no IndexedDB or it does not work. */
export function defaultKeyStore(): Promise<KeyStore> {
  defaultStore ??= openDefaultStore();
  return defaultStore;
}

/** Opens the store of the browser, or one in memory. */
export async function openDefaultStore(): Promise<KeyStore> {
  const store = createIndexedDbStore();
  return store
    .update("", (record) => record ?? true)
    .then(
      () => store,
      // Node has no IndexedDB, Firefox has one in private windows that cannot be opened, and a full disk takes no new record.
      () => createMemoryStore(),
    );
}

/** The error of a store that failed. */
export function storeError(cause: unknown): BonevalueError {
  if (cause instanceof BonevalueError) return cause;
  return new BonevalueError("unsupported", "The key store failed: see the cause, or pass another `keyStore`.", {
    cause,
  });
}

function channelOf(database: string, name: string): string {
  return `bonevalue-keys ${database} ${name}`;
}

function notify(database: string, name: string): void {
  const channel = new BroadcastChannel(channelOf(database, name));
  channel.postMessage(null);
  channel.close();
}
