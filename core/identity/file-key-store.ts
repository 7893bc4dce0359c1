import type { DatabaseSync } from "node:sqlite";
import type { KeyStore } from "./key-store.ts";

// How long a process waits while others write, in ms.
const busyTimeoutMs = 10_000;

/**
 * Stores keys in a file that only its owner can read, for Node. It is an SQLite database, so several processes can share it.
 *
 * @example
 * const client = createClient({ identity: { keyStore: fileKeyStore("keys.sqlite") } });
 */
export function fileKeyStore(path: string): KeyStore {
  let opening: Promise<DatabaseSync> | undefined;

  async function open(): Promise<DatabaseSync> {
    const { DatabaseSync } = await import("node:sqlite");
    const { chmodSync, closeSync, openSync } = await import("node:fs");
    // SQLite gives its files the mode of the database.
    closeSync(openSync(path, "a", 0o600));
    // A file that exists keeps the mode that it has.
    chmodSync(path, 0o600);
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    database.exec("CREATE TABLE IF NOT EXISTS records (name TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT");
    return database;
  }

  return {
    storesCryptoKeys: false,
    async update(name, change) {
      opening ??= open();
      opening.catch(() => {
        opening = undefined;
      });
      const database = await opening;
      database.exec("BEGIN IMMEDIATE");
      try {
        const row = database.prepare("SELECT record FROM records WHERE name = ?").get(name);
        const before: unknown = row && JSON.parse(String(row["record"]));
        const next = change(before);
        if (next === undefined) database.prepare("DELETE FROM records WHERE name = ?").run(name);
        else if (next !== before) {
          database.prepare("INSERT OR REPLACE INTO records VALUES (?, ?)").run(name, JSON.stringify(next));
        }
        database.exec("COMMIT");
        return next;
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
  };
}
