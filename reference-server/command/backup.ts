import { existsSync } from "node:fs";
import { chmod, rename, rm } from "node:fs/promises";
import { defaultLog } from "../log.ts";
import { isShared, openStore } from "../store/open.ts";
import type { StoreValues } from "./serve.ts";

/**
 * Copies the SQLite file of a server, which may be running, into a new file. A copy of the file alone would lack the changes
 * that are still in its write-ahead log.
 */
export async function backup(target: string, flags: StoreValues): Promise<number> {
  const source = flags.store ?? "bonevalue.db";
  if (isShared(source)) throw new Error("A postgres:// store is backed up with pg_dump, not with this command.");
  if (!existsSync(source)) throw new Error(`There is no store at ${source}: set --store to the file of the server.`);
  if (existsSync(target)) throw new Error(`${target} exists already: choose another file for the backup.`);
  // Checks that the file is a store of this version.
  await (await openStore(source, defaultLog("warn"))).close();
  const { DatabaseSync } = await import("node:sqlite");
  const partial = `${target}.part`;
  await rm(partial, { force: true });
  const database = new DatabaseSync(source, { readOnly: true });
  try {
    database.exec("pragma busy_timeout = 5000");
    // One read transaction: a consistent state, while others write.
    database.prepare("vacuum into ?").run(partial);
  } finally {
    database.close();
  }
  // It contains password hashes.
  await chmod(partial, 0o600);
  await rename(partial, target);
  console.log(
    `Saved ${source} to ${target}. To restore it, stop the server and replace its file, including -wal and -shm files.`,
  );
  return 0;
}
