import { Kysely, PostgresDialect } from "kysely";
import type { Log } from "../log.ts";
import { importPostgres } from "../optional-packages.ts";
import { migrate, type Tables } from "./schema.ts";
import { createSqlStore } from "./sql.ts";
import type { Store } from "./store.ts";

// The type id of int8: times in ms, which a number represents exactly.
const bigint = 20;

/** Opens a store in PostgreSQL, which any number of servers may share. Rejects when it cannot be reached. */
export async function openPostgresStore(url: string, log: Log): Promise<Store> {
  const pg = await importPostgres();
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 5_000,
    // Sign-ins wait for queries, so a query must fail rather than hang.
    query_timeout: 10_000,
    keepAlive: true,
    types: {
      getTypeParser: (id: number, format?: "text" | "binary") =>
        id === bigint ? Number : pg.types.getTypeParser(id, format as "text"),
    },
  });
  // The pool replaces a broken idle connection with the next query.
  pool.on("error", (error) => log.warn({ error: error.message }, "lost a connection to the store"));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return createSqlStore(db);
}
