import { setTimeout } from "node:timers/promises";
import { type DatabaseConnection, Kysely, type SqliteDatabase, SqliteDialect } from "kysely";
import { migrate, type Tables } from "./schema.ts";
import { createSqlStore } from "./sql.ts";
import type { Store } from "./store.ts";

/**
 * Opens the embedded store: a SQLite file, created if missing, or `":memory:"`. Several processes on one machine may share
 * the file. Rejects when the file cannot be opened, or when this Node has no SQLite.
 */
export async function openSqliteStore(path: string): Promise<Store> {
  try {
    return await openMigrated(path);
  } catch (error) {
    if (!isCollision(error)) throw error;
    return openMigrated(path);
  }
}

async function openMigrated(path: string): Promise<Store> {
  const database = await open(path);
  const db = new Kysely<Tables>({ dialect: dialectOf(database) });
  try {
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return createSqlStore(db);
}

/** Returns the dialect for a database. Unlike Kysely's own, it runs the migrations in one transaction, as SQLite allows. */
function dialectOf(database: SqliteDatabase): SqliteDialect {
  const dialect = new SqliteDialect({ database, onCreateConnection: waitForLocks });
  const adapter = Object.defineProperty(dialect.createAdapter(), "supportsTransactionalDdl", { value: true });
  dialect.createAdapter = () => adapter;
  return dialect;
}

const busy = 5;
// Two processes that create one file at the same moment: SQLITE_ERROR (the table exists already), BUSY and CONSTRAINT.
const collisions: ReadonlySet<unknown> = new Set([1, busy, 19]);

function isCollision(error: unknown): boolean {
  return collisions.has(errorKind(error));
}

function errorKind(error: unknown): number | undefined {
  // The low byte is the primary result code.
  return error instanceof Error && "errcode" in error ? Number(error.errcode) & 255 : undefined;
}

// Retries while another process holds the lock, in ms.
const lockTimeout = 5_000;
const lockRetryEvery = 10;

/** Retries asynchronously while the file is locked. SQLite's own busy timeout would block the whole process. */
async function waitForLocks(connection: DatabaseConnection): Promise<void> {
  const execute = connection.executeQuery.bind(connection);
  connection.executeQuery = async (query) => {
    const until = Date.now() + lockTimeout;
    for (;;) {
      try {
        return await execute<any>(query);
      } catch (error) {
        if (errorKind(error) !== busy || Date.now() >= until) throw error;
        await setTimeout(lockRetryEvery);
      }
    }
  };
}

async function open(path: string): Promise<SqliteDatabase> {
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(path);
  // Answered changes survive a crash of the machine, not only of the process.
  db.exec("pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on");
  // From now on waitForLocks retries without blocking.
  db.exec("pragma busy_timeout = 0");
  const prepare = memoize((sql: string) => db.prepare(sql));
  return {
    close: () => db.close(),
    prepare(sql) {
      // A deferred transaction that reads before it writes would fail at once when another process writes.
      const statement = prepare(sql === "begin" ? "begin immediate" : sql);
      return {
        // Kysely then reads rows from every statement; one without rows returns none.
        reader: true,
        all: (parameters) => statement.all(...(parameters as (string | number | null)[])),
        run: (parameters) => statement.run(...(parameters as (string | number | null)[])),
        iterate: (parameters) => statement.iterate(...(parameters as (string | number | null)[])),
      };
    },
  };
}

// More than the number of different statements; lists of peers produce one for each length.
const maxStatements = 100;

/** Caches the results of `make` by key; the least recently used are dropped. */
function memoize<Made>(make: (key: string) => Made): (key: string) => Made {
  const made = new Map<string, Made>();
  return (key) => {
    const one = made.get(key) ?? make(key);
    // Moves the key to the end: the first key is the least recently used.
    made.delete(key);
    made.set(key, one);
    if (made.size > maxStatements) made.delete(made.keys().next().value as string);
    return one;
  };
}
