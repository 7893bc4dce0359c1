import type { Log } from "../log.ts";
import { importPostgres } from "../optional-packages.ts";
import { openPostgresStore } from "./postgres.ts";
import { openSqliteStore } from "./sqlite.ts";
import type { Store } from "./store.ts";

/** Whether several servers can share the store at `where`. */
export function isShared(where: string | Store): boolean {
  return typeof where === "object" || /^postgres(ql)?:\/\//.test(where);
}

/**
 * Opens the store at `where`: `":memory:"`, the path of a SQLite file or a `postgres://` URL; returns a given store as it
 * is. If it cannot be opened, rejects with what to do.
 */
export async function openStore(where: string | Store, log: Log): Promise<Store> {
  if (typeof where === "object") return where;
  if (isShared(where)) return openPostgres(where, log);
  if (/^\w+:\/\//.test(where) && !where.startsWith("file:"))
    throw new Error("The store (`store`, --store) is not supported: use the path of a file or a postgres:// URL.");
  return openSqlite(where);
}

async function openSqlite(path: string): Promise<Store> {
  try {
    return await openSqliteStore(path);
  } catch (cause) {
    const advice = isDamaged(cause)
      ? "it is not a SQLite file or is damaged; restore a backup or use another file"
      : "check the path and its write permissions";
    throw new Error(`The store at ${path} cannot be opened (${reason(cause)}): ${advice}.`, { cause });
  }
}

async function openPostgres(url: string, log: Log): Promise<Store> {
  // First, so that a missing package is not reported as an unreachable store.
  await importPostgres();
  // The URL contains a password, so only the host is shown.
  const where = URL.parse(url)?.host ?? "the given URL";
  return openPostgresStore(url, log).catch((cause: unknown) => {
    throw new Error(
      `The store at ${where} cannot be used (${reason(cause)}): check that it runs, and the user, password and database.`,
      { cause },
    );
  });
}

// SQLITE_CORRUPT and SQLITE_NOTADB.
function isDamaged(cause: unknown): boolean {
  return cause instanceof Error && "errcode" in cause && [11, 26].includes(Number(cause.errcode) & 255);
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && "code" in cause ? cause.code : undefined;
}

function reason(cause: unknown): string {
  if (cause instanceof AggregateError) return reason(cause.errors[0]);
  return cause instanceof Error ? cause.message || String(codeOf(cause)) : String(cause);
}
