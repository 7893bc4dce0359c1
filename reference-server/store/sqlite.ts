import { setTimeout } from "node:timers/promises";
import { type DatabaseConnection, Kysely, type SqliteDatabase, SqliteDialect } from "kysely";
import { migrate, type Tables } from "./schema.ts";
import { sqlStore } from "./sql.ts";
import type { Store } from "./store.ts";

/**
 * The embedded store: one file, made when missing, or `":memory:"`. Several processes of one machine may share the file.
 * Rejects when the file cannot be opened, or when this Node has no SQLite.
 */
export async function sqliteStore(path: string): Promise<Store> {
  try {
    return await prepared(path);
  } catch (error) {
    if (!isCollision(error)) throw error;
    return prepared(path);
  }
}

async function prepared(path: string): Promise<Store> {
  const database = await open(path);
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database, onCreateConnection: waitForLocks }) });
  try {
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return sqlStore(db);
}

const busy = 5;
// Two processes that make one file at the same moment: SQLITE_ERROR (a table is there already), BUSY and CONSTRAINT.
const collisions: ReadonlySet<unknown> = new Set([1, busy, 19]);

function isCollision(error: unknown): boolean {
  return collisions.has(kindOf(error));
}

function kindOf(error: unknown): number | undefined {
  // The low byte is the kind of the error; the rest says more.
  return error instanceof Error && "errcode" in error ? Number(error.errcode) & 255 : undefined;
}

// While another process holds the file locked, in ms: how long we try again, and how often.
const longestLock = 5_000;
const lockPause = 10;

/** SQLite's own waiting would stop the whole process. */
async function waitForLocks(connection: DatabaseConnection): Promise<void> {
  const execute = connection.executeQuery.bind(connection);
  connection.executeQuery = async (query) => {
    const until = Date.now() + longestLock;
    for (;;) {
      try {
        return await execute<any>(query);
      } catch (error) {
        if (kindOf(error) !== busy || Date.now() >= until) throw error;
        await setTimeout(lockPause);
      }
    }
  };
}

async function open(path: string): Promise<SqliteDatabase> {
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(path);
  // Whatever was answered survives a crash of the machine, not only of the process.
  db.exec("pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on");
  // From now on others are served meanwhile.
  db.exec("pragma busy_timeout = 0");
  const prepare = remembering((sql: string) => db.prepare(sql));
  return {
    close: () => db.close(),
    prepare(sql) {
      // A transaction that looks first and writes later would fail at once, without waiting, beside another process.
      const statement = prepare(sql === "begin" ? "begin immediate" : sql);
      return {
        // Every statement whose result matters has rows to read; one without them reads as none.
        reader: true,
        all: (parameters) => statement.all(...(parameters as (string | number | null)[])),
        run: (parameters) => statement.run(...(parameters as (string | number | null)[])),
        iterate: (parameters) => statement.iterate(...(parameters as (string | number | null)[])),
      };
    },
  };
}

// More than there are kinds of statements; lists of peers make one for each of their lengths.
const remembered = 100;

/** Makes each thing once, as long as not too many others are asked for. */
function remembering<Made>(make: (key: string) => Made): (key: string) => Made {
  const made = new Map<string, Made>();
  return (key) => {
    const one = made.get(key) ?? make(key);
    // The oldest go first.
    made.delete(key);
    made.set(key, one);
    if (made.size > remembered) made.delete(made.keys().next().value as string);
    return one;
  };
}
