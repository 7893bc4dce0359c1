import { isText } from "../check-arguments.ts";
import type { StoredCredentials } from "../discovery/discovery.ts";

/** The stored entry of a page: a server, and the credentials of a session or a device there. */
export interface StoredSecret {
  readonly host: string;
  readonly credentials: StoredCredentials;
}

/** One entry of a storage. A storage that is blocked, full or missing behaves as an empty one. */
export interface SecretStorage {
  /** Whether this page has the storage. */
  readonly isAvailable: boolean;
  /** Undefined if nothing valid is stored. */
  read(): StoredSecret | undefined;
  write(secret: StoredSecret): void;
  remove(): void;
}

/** Creates the entry `name` of a storage. `open` returns the storage; reading it may throw a SecurityError. */
export function createSecretStorage(open: () => Storage | undefined, name: string): SecretStorage {
  function attempt<Result>(run: (storage: Storage) => Result): Result | undefined {
    try {
      const storage = open();
      return storage && run(storage);
    } catch {
      return undefined;
    }
  }

  return {
    isAvailable: attempt(() => true) ?? false,
    read: () => attempt((storage) => parse(storage.getItem(name))),
    write: (secret) => attempt((storage) => storage.setItem(name, JSON.stringify(secret))),
    remove: () => attempt((storage) => storage.removeItem(name)),
  };
}

function parse(text: string | null): StoredSecret | undefined {
  const { host, credentials } = Object(JSON.parse(text ?? "null"));
  const isComplete = isText(host) && Object.values(Object(credentials)).every(isText);
  const isKnown = ["session", "device"].some((secret) => isText(Object(credentials)[secret]));
  return isComplete && isKnown ? { host, credentials } : undefined;
}
