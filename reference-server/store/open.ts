import type { Log } from "../log.ts";
import { importPostgres } from "../optional-packages.ts";
import { postgresStore } from "./postgres.ts";
import { sqliteStore } from "./sqlite.ts";
import type { Store } from "./store.ts";

/** Whether several servers can share what is at `where`. */
export function isShared(where: string | Store): boolean {
  return typeof where === "object" || /^postgres(ql)?:\/\//.test(where);
}

/**
 * The store at `where`: `":memory:"`, a SQLite file's path, a `postgres://` URL, or a store already. Rejects with what to
 * do about it.
 */
export async function openStore(where: string | Store, log: Log): Promise<Store> {
  if (typeof where === "object") return where;
  if (isShared(where)) return openPostgres(where, log);
  if (/^\w+:\/\//.test(where) && !where.startsWith("file:"))
    throw new Error("The store is nothing that is known here: give a file's path or a postgres:// URL.");
  return openSqlite(where);
}

async function openSqlite(path: string): Promise<Store> {
  try {
    return await sqliteStore(path);
  } catch (cause) {
    const advice = isDamaged(cause)
      ? "it is no SQLite file or a damaged one, so bring a backup back or name another"
      : "check the path and who may write there";
    throw new Error(`The store at ${path} cannot be opened (${reason(cause)}): ${advice}.`, { cause });
  }
}

async function openPostgres(url: string, log: Log): Promise<Store> {
  // First, because its message is not about an unreachable store.
  await importPostgres();
  // The URL holds a password.
  const where = URL.parse(url)?.host ?? "the URL given";
  return postgresStore(url, log).catch((cause: unknown) => {
    throw new Error(
      `The store at ${where} cannot be used (${reason(cause)}): check that it runs, and user, password and database.`,
      {
        cause,
      },
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
