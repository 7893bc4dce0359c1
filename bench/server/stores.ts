import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { defaultLog } from "../../reference-server/log.ts";
import { openPostgresStore } from "../../reference-server/store/postgres.ts";
import { openSqliteStore } from "../../reference-server/store/sqlite.ts";
import { startPostgres } from "../../reference-server/testing/postgres.ts";
import { startRedis, type TestRedis } from "../../reference-server/testing/redis.ts";
import { addGroups, type TestUser } from "./test-users.ts";

/** Runs `work` with a SQLite store that contains test users. */
export async function withSqlite<Result>(
  groups: number,
  size: number,
  work: (store: string, users: TestUser[][]) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(`${tmpdir()}/bonevalue-bench-`);
  const file = `${folder}/server.db`;
  const store = await openSqliteStore(file);
  const users = await addGroups(store, groups, size);
  await store.close();
  try {
    return await work(file, users);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs `work` with a PostgreSQL store that contains test users, and an empty Redis. */
export async function withPostgresAndRedis<Result>(
  groups: number,
  size: number,
  work: (store: string, redis: TestRedis, users: TestUser[][]) => Promise<Result>,
): Promise<Result> {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  try {
    const url = await postgres.database();
    const store = await openPostgresStore(url, defaultLog("silent"));
    const users = await addGroups(store, groups, size);
    await store.close();
    return await work(url, redis, users);
  } finally {
    await Promise.all([redis.stop(), postgres.stop()]);
  }
}
