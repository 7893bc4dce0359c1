import { sqliteStore } from "./sqlite.ts";
import type { Store } from "./store.ts";

/** The store at `where`: `":memory:"`, a SQLite file's path, or a store already. Rejects with what to do about it. */
export async function openStore(where: string | Store): Promise<Store> {
  if (typeof where === "object") return where;
  try {
    return await sqliteStore(where);
  } catch (cause) {
    if (isMissing(cause))
      throw new Error(`The embedded store needs Node 22.13 or newer; this is ${process.version}.`, { cause });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The store at ${where} cannot be opened (${reason}): check the path and who may write there.`, {
      cause,
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_UNKNOWN_BUILTIN_MODULE";
}
