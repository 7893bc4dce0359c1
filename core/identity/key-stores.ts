import { createLazyPart } from "../lazy-part.ts";
import type { KeyStore } from "./key-store.ts";

// The stores that apps pass. Their code is loaded by the first use, since pages load this file at first. It is a part of
// `identify`, which uses the stores.

/** Stores keys in this browser profile. Private keys cannot be read by scripts. All tabs of the origin share them. */
export function indexedDbKeyStore(database?: string): KeyStore {
  return lazyStore(async () => (await import("./identify.ts")).createIndexedDbStore(database));
}

/** Stores keys until the page or process ends. */
export function memoryKeyStore(): KeyStore {
  return lazyStore(async () => (await import("./identify.ts")).createMemoryStore());
}

function lazyStore(load: () => Promise<KeyStore>): KeyStore {
  const part = createLazyPart(load);
  const store = async () => {
    await part.load();
    return part.loaded!;
  };
  return {
    storesCryptoKeys: true,
    update: async (name, change) => (await store()).update(name, change),
    subscribe(name, listener) {
      const undo = store().then((loaded) => loaded.subscribe!(name, listener));
      return () => void undo.then((unsubscribe) => unsubscribe());
    },
  };
}
