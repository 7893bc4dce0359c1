import { Kysely, PostgresDialect } from "kysely";
import type { Log } from "../log.ts";
import { importPostgres } from "../optional-packages.ts";
import { migrate, type Tables } from "./schema.ts";
import { sqlStore } from "./sql.ts";
import type { Store } from "./store.ts";

// int8: times in ms, which a number holds exactly.
const bigint = 20;

/** A store in PostgreSQL, which any number of servers share. Rejects when it cannot be reached. */
export async function postgresStore(url: string, log: Log): Promise<Store> {
  const pg = await importPostgres();
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 5_000,
    // Sign-ins wait for it: better an error than a hang.
    query_timeout: 10_000,
    keepAlive: true,
    types: {
      getTypeParser: (id: number, format?: "text" | "binary") =>
        id === bigint ? Number : pg.types.getTypeParser(id, format as "text"),
    },
  });
  // A connection that breaks while nobody uses it is replaced by the next query.
  pool.on("error", (error) => log.warn({ error: error.message }, "a connection to the store broke"));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return sqlStore(db);
}
