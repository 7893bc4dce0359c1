import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { defaultLog } from "../../reference-server/log.ts";
import { openPostgresStore } from "../../reference-server/store/postgres.ts";
import { openSqliteStore } from "../../reference-server/store/sqlite.ts";
import { startPostgres } from "../../reference-server/testing/postgres.ts";
import { startRedis, type TestRedis } from "../../reference-server/testing/redis.ts";
import { crowd, type Person } from "./crowd.ts";

/** Runs with a SQLite file that has these people in it. */
export async function withFile<Result>(
  groups: number,
  size: number,
  work: (store: string, people: Person[][]) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(`${tmpdir()}/bonevalue-bench-`);
  const file = `${folder}/server.db`;
  const store = await openSqliteStore(file);
  const people = await crowd(store, groups, size);
  await store.close();
  try {
    return await work(file, people);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs with a PostgreSQL that has these people in it, and an empty Redis. */
export async function withEngines<Result>(
  groups: number,
  size: number,
  work: (store: string, redis: TestRedis, people: Person[][]) => Promise<Result>,
): Promise<Result> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  try {
    const url = await postgres.database();
    const store = await openPostgresStore(url, defaultLog("silent"));
    const people = await crowd(store, groups, size);
    await store.close();
    return await work(url, redis, people);
  } finally {
    await Promise.all([redis.stop(), postgres.stop()]);
  }
}
