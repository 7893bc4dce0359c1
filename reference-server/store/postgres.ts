import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from "kysely";
import type { Pool, PoolClient } from "pg";
import type { Log } from "../log.ts";
import { importPostgres } from "../optional-packages.ts";
import { migrate, type Tables } from "./schema.ts";
import { createSqlStore } from "./sql.ts";
import type { Store } from "./store.ts";

// The type id of int8: times in ms, which a number represents exactly.
const bigint = 20;
// The time limit of a connection and of a query, in ms. Sign-ins wait for queries, so a query must fail rather than hang.
const connectTimeout = 5_000;
const queryTimeout = 5_000;

/** Opens a store in PostgreSQL, which any number of servers may share. Rejects when it cannot be reached. */
export async function openPostgresStore(url: string, log: Log, poolSize: number = 10): Promise<Store> {
  const pg = await importPostgres();
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: connectTimeout,
    query_timeout: queryTimeout,
    keepAlive: true,
    types: {
      getTypeParser: (id: number, format?: "text" | "binary") =>
        id === bigint ? Number : pg.types.getTypeParser(id, format as "text"),
    },
  });
  // The pool replaces a broken idle connection with the next query.
  pool.on("error", (error) => log.warn({ error: error.message }, "lost a connection to the store"));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: discardFailedClients(pool, poolSize, log) }) });
  try {
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return createSqlStore(db);
}

/**
 * Wraps a pool so that it survives a failover.
 *
 * A pool keeps its clients, but after a failover they lead to a server that is down, does not answer, or is read-only by now.
 * The first query that fails for such a reason starts a new generation: from then on, clients of earlier generations are
 * closed instead of used, and new ones resolve the host name again.
 *
 * A server without a free connection (53300) may serve other programs, so the pool shrinks to the clients it has, and callers
 * wait for one of these.
 */
function discardFailedClients(pool: Pool, poolSize: number, log: Log): PostgresPool {
  const generations = new WeakMap<PoolClient, number>();
  let generation = 0;
  pool.on("connect", (client) => {
    generations.set(client, generation);
    // A connection may break between two queries of a transaction. Without a listener this would end the process; the next
    // query reports it.
    client.on("error", () => {});
  });

  function onFailure(error: unknown): void {
    generation++;
    log.warn({ error: messageOf(error) }, "a connection to the store failed; all connections are opened again");
  }

  async function connectWithRetry(): Promise<PoolClient> {
    const until = Date.now() + connectTimeout;
    for (;;) {
      try {
        return await pool.connect();
      } catch (error) {
        if (codeOf(error) !== tooManyConnections || Date.now() >= until) throw error;
        // Never above the number of live clients, so that the next attempt waits for one of them.
        pool.options.max = Math.max(1, pool.totalCount);
        setTimeout(() => (pool.options.max = poolSize), growAgainAfter).unref();
        if (pool.totalCount === 0) await new Promise((resolve) => setTimeout(resolve, retryEvery));
      }
    }
  }

  return {
    async connect() {
      let client = await connectWithRetry();
      while (generations.get(client) !== generation) {
        client.release(true);
        client = await connectWithRetry();
      }
      let isBroken = false;
      const query = async (...args: Parameters<PoolClient["query"]>) => {
        try {
          return await client.query(...args);
        } catch (error) {
          if (isConnectionFailure(error)) {
            isBroken = true;
            if (generations.get(client) === generation) onFailure(error);
          }
          throw error;
        }
      };
      return { query, release: () => client.release(isBroken) } as unknown as PostgresPoolClient;
    },
    end: () => pool.end(),
    options: pool.options,
  };
}

const tooManyConnections = "53300";
// While the server has no free connection, in ms: the pause between two attempts, and how long the pool stays small.
const retryEvery = 100;
const growAgainAfter = 10_000;

/**
 * Whether an error means that the connection leads to the wrong server or to none. SQLSTATE: 25006 read_only_sql_transaction,
 * 57P01 to 57P03 shutdown, class 08 connection exceptions. Errors without a SQLSTATE come from the socket or a time limit.
 */
function isConnectionFailure(error: unknown): boolean {
  const code = codeOf(error);
  return typeof code !== "string" || !/^[0-9A-Z]{5}$/.test(code) || /^(25006|57P0[123]|08...)$/.test(code);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
