import { existsSync } from "node:fs";
import type { Log } from "../log.ts";
import { importPostgres } from "../optional-packages.ts";
import { openPostgresStore } from "./postgres.ts";
import { NewerDatabaseError } from "./schema.ts";
import { openSqliteStore } from "./sqlite.ts";
import type { Store } from "./store.ts";

/** Whether several servers can share the store at `where`. */
export function isShared(where: string | Store): boolean {
  return typeof where === "object" || /^postgres(ql)?:\/\//.test(where);
}

/** Throws if the store is a file that does not exist. Opening it would create an empty store. */
export function assertStoreExists(where: string): void {
  if (/^(\w+:\/\/|file:|:memory:)/.test(where) || existsSync(where)) return;
  throw new Error(`There is no store at ${where}: set --store to the file of the server.`);
}

/**
 * Opens the store at `where`: `":memory:"`, the path of a SQLite file or a `postgres://` URL; returns a given store as it
 * is. If it cannot be opened, rejects with what to do. `poolSize`: the maximum number of connections to PostgreSQL.
 */
export async function openStore(where: string | Store, log: Log, poolSize?: number): Promise<Store> {
  if (typeof where === "object") return where;
  if (isShared(where)) return openPostgres(where, log, poolSize);
  if (/^\w+:\/\//.test(where) && !where.startsWith("file:"))
    throw new Error("The store (`store`, --store) is not supported: use the path of a file or a postgres:// URL.");
  return openSqlite(where);
}

async function openSqlite(path: string): Promise<Store> {
  try {
    return await openSqliteStore(path);
  } catch (cause) {
    throwIfNewer(path, cause);
    const advice = isDamaged(cause)
      ? "it is not a SQLite file or is damaged; restore a backup or use another file"
      : "check the path and its write permissions";
    throw new Error(`The store at ${path} cannot be opened (${reason(cause)}): ${advice}.`, { cause });
  }
}

async function openPostgres(url: string, log: Log, poolSize: number | undefined): Promise<Store> {
  // First, so that a missing package is not reported as an unreachable store.
  await importPostgres();
  // The URL contains a password, so only the host is shown.
  const where = URL.parse(url)?.host ?? "the given URL";
  return openPostgresStore(url, log, poolSize).catch((cause: unknown) => {
    throwIfNewer(where, cause);
    throw new Error(`The store at ${where} cannot be used (${reason(cause)}): ${adviceOn(cause)}.`, { cause });
  });
}

function adviceOn(cause: unknown): string {
  if (isTlsRequired(cause))
    return "the server accepts only TLS, so add ?sslmode=require to the URL, or ?sslmode=no-verify for a self-signed certificate";
  if (codeOf(cause) === "ERR_INVALID_URL")
    return "use a form such as postgres://user:password@host:5432/database, with one host, whose address follows the primary";
  return "check that it runs, and the user, password and database";
}

function throwIfNewer(where: string, cause: unknown): void {
  if (cause instanceof NewerDatabaseError)
    throw new Error(
      `The store at ${where} was written by a newer version of bonevalue-server: update bonevalue-server, or restore a backup.`,
      { cause },
    );
}

/** Whether a file is damaged or no SQLite file: SQLITE_CORRUPT and SQLITE_NOTADB. */
export function isDamaged(cause: unknown): boolean {
  return cause instanceof Error && "errcode" in cause && [11, 26].includes(Number(cause.errcode) & 255);
}

// invalid_authorization_specification: "no pg_hba.conf entry for host …, no encryption".
function isTlsRequired(cause: unknown): boolean {
  return codeOf(cause) === "28000" && reason(cause).includes("no encryption");
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && "code" in cause ? cause.code : undefined;
}

/** Returns why a store cannot be used, for a message. */
export function reason(cause: unknown): string {
  if (cause instanceof AggregateError) return reason(cause.errors[0]);
  return cause instanceof Error ? cause.message || String(codeOf(cause)) : String(cause);
}
