import { concat, fromBase64Url, toBase64Url } from "../bytes.ts";
import { type Algorithms, generateSeed, openKey, type SigningKey, type StoredKey } from "./algorithms.ts";
import { type KeyStore, storeError } from "./key-store.ts";
import { approve, writeChain } from "./proof.ts";
import { createRecord, type IdentityRecord } from "./record.ts";

// The record of this device: read from its store, or made. docs/protocol.md, "Keys".

/** The state of a device at one moment, and the key of that state. */
export interface DeviceState {
  readonly record: IdentityRecord;
  readonly key: SigningKey;
}

/** The record of one account and server. */
export interface Device {
  /**
   * Returns the record, which another tab may have written, or replaced with one of another key. While there is a subscription, it
   * reads the store only after a change, since a store takes longer to read than a signature takes to check.
   */
  read(): Promise<DeviceState>;
  /** Changes the record in one step for all tabs. `change` may return the same record. */
  update(change: (record: IdentityRecord) => IdentityRecord): Promise<IdentityRecord>;
  /** Deletes the record. The next {@link Device.read} makes one with a new key. */
  reset(): Promise<void>;
  /** Calls `listener` when the store reports a change. Returns the undo. */
  subscribe(listener: () => void): () => void;
  /** The next {@link Device.read} reads the store: a page that was suspended may have missed reports of changes. */
  forget(): void;
}

/** Options of {@link createDevice}. */
export interface DeviceOptions {
  readonly algorithms: Algorithms;
  readonly store: KeyStore;
  /** The name of the record in the store. */
  readonly name: string;
  /** Derives the key of an account that has a `secret`. Called when this browser has no key yet. */
  deriveAccount?: (() => Promise<SigningKey>) | undefined;
}

/** Opens the record of one account and server. Its methods reject with `unsupported` if the store fails. */
export function createDevice({ algorithms, store, name, deriveAccount }: DeviceOptions): Device {
  // What was read, while the store reports changes.
  let kept: Promise<DeviceState> | undefined;
  let isSubscribed = false;
  let opened: { readonly publicKey: string; readonly key: Promise<SigningKey> } | undefined;

  const update = (change: (record: IdentityRecord | undefined) => IdentityRecord | undefined) =>
    store.update(name, change as (record: unknown) => unknown).catch((cause) => {
      throw storeError(cause);
    }) as Promise<IdentityRecord | undefined>;

  function keyOf({ device }: IdentityRecord): Promise<SigningKey> {
    if (opened?.publicKey !== device.publicKey) {
      opened = { publicKey: device.publicKey, key: openKey(algorithms, device) };
    }
    return opened.key;
  }

  async function makeRecord(device: StoredKey, account: SigningKey | undefined): Promise<IdentityRecord> {
    const record = createRecord(device);
    if (!account) return record;
    const key = fromBase64Url(device.publicKey)!;
    const chain = [{ key, signature: await approve(account, account.publicKey, key) }];
    return { ...record, derived: true, account: toBase64Url(account.publicKey), chain: toBase64Url(writeChain(chain)) };
  }

  /** Several tabs may make a key at once: all tabs use the first key that is written. */
  async function write(device: StoredKey, account: SigningKey | undefined, replaced?: StoredKey): Promise<DeviceState> {
    const made = await makeRecord(device, account);
    await update((found) => (found && found.device.publicKey !== replaced?.publicKey ? found : made));
    // A store returns what was passed to it, and some browsers keep something else.
    const record = (await update((found) => found ?? made))!;
    return { record, key: await keyOf(record) };
  }

  async function create(): Promise<DeviceState> {
    // Outside of `try`: an error of the app's `secret` is not a failure of the store, and a second prompt would not help.
    const account = await deriveAccount?.();
    const generate = store.storesCryptoKeys ? algorithms.generate : undefined;
    const stored = generate ? await generate() : await generateSeed(algorithms);
    try {
      const state = await write(stored, account);
      if (await canSign(algorithms, state.key)) return state;
    } catch {
      // Firefox before 136 and some modes of Safari on iOS cannot store this kind of key.
    }
    return write(await generateSeed(algorithms), account, stored);
  }

  async function load(): Promise<DeviceState> {
    const record = await update((found) => found);
    return record ? { record, key: await keyOf(record) } : create();
  }

  function forget(): void {
    kept = undefined;
  }

  return {
    read() {
      if (!isSubscribed) return load();
      kept ??= load();
      kept.catch(forget);
      return kept;
    },
    async update(change) {
      const record = await update((found) => found && change(found)).finally(forget);
      // Another tab has deleted it meanwhile.
      return record ?? (await create()).record;
    },
    async reset() {
      await update(() => undefined).finally(forget);
    },
    subscribe(listener) {
      if (!store.subscribe) return () => {};
      const undo = store.subscribe(name, () => {
        forget();
        listener();
      });
      isSubscribed = true;
      return () => {
        isSubscribed = false;
        forget();
        undo?.();
      };
    },
    forget,
  };
}

async function canSign(algorithms: Algorithms, key: SigningKey): Promise<boolean> {
  const message = concat(key.publicKey);
  return algorithms.verify(key.publicKey, await key.sign(message), message);
}
