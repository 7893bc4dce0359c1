import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import { assertStoreExists, isDamaged, isShared, reason } from "../store/open.ts";
import type { StoreValues } from "./serve.ts";

// How long the copy waits while another process holds a lock, in ms.
const lockTimeout = 5_000;

/**
 * Copies the SQLite file of a server, which may be running, into a new file. A copy of the file alone would lack the changes
 * that are still in its write-ahead log. The source is only read: its tables may be those of another version.
 */
export async function backup(target: string, flags: StoreValues): Promise<number> {
  const source = flags.store ?? "bonevalue.db";
  if (isShared(source))
    throw new Error("This command copies SQLite files only: back up a postgres:// store with pg_dump.");
  assertStoreExists(source);
  if (existsSync(target)) throw new Error(`${target} exists already: choose another file for the backup.`);
  const { DatabaseSync } = await import("node:sqlite");
  const partial = `${target}.part`;
  // The copy contains password hashes, so no other user may read it at any time.
  const umask = process.umask(0o077);
  try {
    await rm(partial, { force: true });
    const database = read(source, () => new DatabaseSync(source, { readOnly: true, timeout: lockTimeout }));
    try {
      copy(database, source, partial);
    } finally {
      database.close();
    }
    await rename(partial, target);
  } finally {
    process.umask(umask);
    await rm(partial, { force: true });
  }
  console.log(
    `Saved ${source} to ${target}. To restore it, stop the server, replace its file, and delete the files that end in -wal and -shm.`,
  );
  return 0;
}

function copy(database: DatabaseSync, source: string, target: string): void {
  const accounts = "select 1 from sqlite_master where type = 'table' and name = 'accounts'";
  if (read(source, () => database.prepare(accounts).get()) === undefined) throw noStore(source);
  try {
    // One read transaction: a consistent state, while others write.
    database.prepare("vacuum into ?").run(target);
  } catch (cause) {
    const advice = "check the folder, its permissions and its free space";
    throw new Error(`The backup cannot be written (${reason(cause)}): ${advice}.`, { cause });
  }
}

function read<Result>(source: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (isDamaged(cause)) throw noStore(source);
    const advice = "check the path and its permissions, and whether another program has locked it";
    throw new Error(`${source} cannot be read (${reason(cause)}): ${advice}.`, { cause });
  }
}

function noStore(source: string): Error {
  return new Error(`${source} is not a store: set --store to the file of the server.`);
}
