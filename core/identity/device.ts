import { type Algorithms, generateSeed, openKey, type SigningKey, type StoredKey } from "./algorithms.ts";
import { concat, fromBase64Url, toBase64Url } from "./bytes.ts";
import { createRecord, type IdentityRecord } from "./contacts.ts";
import { type KeyStore, storeError } from "./key-store.ts";
import { approve, writeChain } from "./proof.ts";

// The record of this device: read from its store, or made. docs/protocol.md, "Keys".

/** The record of one account and server, and the device's key. */
export interface Device {
  readonly key: SigningKey;
  /** Reads the record. It differs each time that another tab has written. */
  read(): Promise<IdentityRecord>;
  /** Changes the record in one step for all tabs. */
  update(change: (record: IdentityRecord) => IdentityRecord): Promise<IdentityRecord>;
  /** Calls `listener` when another tab has written. Returns the undo. */
  subscribe(listener: () => void): () => void;
}

/** Options of {@link openDevice}. */
export interface DeviceOptions {
  readonly algorithms: Algorithms;
  readonly store: KeyStore;
  /** The key of the record in the store. */
  readonly name: string;
  /** Derives the key of an account that has a `secret`. Called when this browser has no key yet. */
  deriveAccount?: (() => Promise<SigningKey>) | undefined;
}

/** Reads the record, or makes one with a new key. Rejects with `unsupported` if the store fails. */
export async function openDevice({ algorithms, store, name, deriveAccount }: DeviceOptions): Promise<Device> {
  const update = (change: (record: IdentityRecord | undefined) => IdentityRecord | undefined) =>
    store.update(name, change as (record: unknown) => unknown).catch((cause) => {
      throw storeError(cause);
    }) as Promise<IdentityRecord | undefined>;

  async function makeRecord(device: StoredKey): Promise<IdentityRecord> {
    const record = createRecord(device);
    const account = await deriveAccount?.();
    if (!account) return record;
    const key = fromBase64Url(device.publicKey)!;
    const chain = [{ key, signature: await approve(account, account.publicKey, key) }];
    return { ...record, derived: true, account: toBase64Url(account.publicKey), chain: toBase64Url(writeChain(chain)) };
  }

  /** Several tabs may make a key at once: the first one that is written is the key of all. */
  async function write(device: StoredKey, replaced?: StoredKey): Promise<SigningKey> {
    const made = await makeRecord(device);
    const written = await update((found) => (found && found.device.publicKey !== replaced?.publicKey ? found : made));
    return openKey(algorithms, written!.device);
  }

  async function create(): Promise<SigningKey> {
    const makesCryptoKeys = store.storesCryptoKeys && algorithms.generate;
    const stored = makesCryptoKeys ? await makesCryptoKeys() : await generateSeed(algorithms);
    try {
      const key = await write(stored);
      if (await canSign(algorithms, key)) return key;
    } catch (error) {
      if (!makesCryptoKeys) throw error;
    }
    // Firefox before 136 and some modes of Safari on iOS cannot store this kind of key.
    return write(await generateSeed(algorithms), stored);
  }

  const found = await update((record) => record);
  const key = found ? await openKey(algorithms, found.device) : await create();
  return {
    key,
    async read() {
      return (await update((record) => record))!;
    },
    async update(change) {
      return (await update((record) => record && change(record)))!;
    },
    subscribe: (listener) => store.subscribe?.(name, listener) ?? (() => {}),
  };
}

async function canSign(algorithms: Algorithms, key: SigningKey): Promise<boolean> {
  const message = concat(key.publicKey);
  return algorithms.verify(key.publicKey, await key.sign(message), message);
}
