import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { describeStore } from "./conformance.ts";
import { openSqliteStore } from "./sqlite.ts";

async function inNewFolder() {
  const folder = await mkdtemp(join(tmpdir(), "bonevalue-"));
  const file = join(folder, "server.db");
  const store = await openSqliteStore(file);
  return {
    store,
    file,
    reopen: () => openSqliteStore(file),
    async dispose() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

describeStore("SQLite", inNewFolder);

test("statements are prepared again when the cache has dropped them", async () => {
  const { store, dispose } = await inNewFolder();
  await store.addAccount("ann", "h");
  const lists = Array.from({ length: 150 }, (_, length) => Array.from({ length }, (_, at) => `p${at}`));
  await store.addSession({ hash: "s", username: "ann", peer: "p0", seen: 1 });
  for (const list of [...lists, ...lists]) expect([...(await store.sessionsOf(list))]).toEqual(list.slice(0, 1));
  await dispose();
});

test("a file of an earlier version keeps its accounts, trust and invitations", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bonevalue-"));
  const file = join(folder, "server.db");
  const old = new DatabaseSync(file);
  old.exec(`
    create table kysely_migration (name varchar(255) primary key, timestamp varchar(255) not null);
    create table kysely_migration_lock (id varchar(255) primary key, is_locked integer not null default 0);
    insert into kysely_migration_lock values ('migration_lock', 0);
    insert into kysely_migration values ('2026-01-first', '1'), ('2026-02-servers', '2'), ('2026-03-changes', '3');
    create table accounts (username text primary key, password text);
    create table sessions (peer text primary key, hash text not null unique, username text not null references accounts on delete cascade, seen bigint not null);
    create table trust (owner text not null, other text not null, alias text not null, primary key (owner, other));
    create table tokens (hash text primary key, owner text not null, alias text not null, expires bigint not null);
    create table invitations (hash text primary key, email text not null, expires bigint not null);
    create table servers (id text primary key, seen bigint not null);
    create table changes (id text primary key, username text not null, at bigint not null);
    insert into accounts values ('ann', 'h'), ('bob', 'h');
    insert into sessions values ('p', 's', 'ann', 5);
    insert into trust values ('ann', 'bob', 'Bob'), ('bob', 'ann', 'Ann');
    insert into invitations values ('i', 'cat@x.org', 10)`);
  old.close();
  const store = await openSqliteStore(file);
  expect(await store.accounts!()).toEqual(["ann", "bob"]);
  expect(await store.session("s", 0)).toMatchObject({ username: "ann", peer: "p" });
  expect(await store.trusted("ann")).toEqual([{ username: "bob", alias: "Bob" }]);
  expect(await store.acceptInvitation("i", "h", 5)).toEqual({ username: "cat@x.org", inviter: undefined });
  expect(await store.bans!(0)).toEqual([]);
  await store.close();
  await rm(folder, { recursive: true });
});

test("two processes share one file, and of their concurrent claims one succeeds", async () => {
  const { store, file, dispose } = await inNewFolder();
  for (const name of ["ann", "bob", "cat"]) await store.addAccount(name, "h");
  await store.addToken({ hash: "t", owner: "ann", alias: "Friend", expires: 10 });
  const outcomes = await Promise.all([claimElsewhere(file, "bob"), claimElsewhere(file, "cat")]);
  expect(outcomes.toSorted()).toEqual(['{"other":"ann"}', '{"refused":"token-invalid"}']);
  await dispose();
});

test("processes that create one file at the same moment can all use it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bonevalue-"));
  const file = join(folder, "new.db");
  const stores = await Promise.all(Array.from({ length: 4 }, () => elsewhere(file, "await store.account('x')")));
  expect(stores).toEqual(["undefined", "undefined", "undefined", "undefined"]);
  await rm(folder, { recursive: true });
});

test("a transaction waits for a locked file without blocking the process", async () => {
  const { store, file, dispose } = await inNewFolder();
  const other = new DatabaseSync(file);
  other.exec("begin immediate; insert into accounts values ('ann', 'theirs')");
  const added = Promise.all([store.addAccount("ann", "ours"), store.trust("ann", "Bob", "bob", "Ann")]);
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  added.then(over, over);
  await setImmediate();
  expect(isOver).toBe(false);
  other.exec("insert into accounts values ('bob', 'theirs'); commit");
  expect(await added).toMatchObject([false, {}]);
  expect((await store.account("ann"))?.password).toBe("theirs");
  other.close();
  await dispose();
});

function claimElsewhere(file: string, claimer: string): Promise<string> {
  return elsewhere(file, `JSON.stringify(await store.claimToken("t", "${claimer}", "Ann", 5))`);
}

/** Evaluates an expression on the store in another process. */
async function elsewhere(file: string, expression: string): Promise<string> {
  const script = `
    import { openSqliteStore } from ${JSON.stringify(new URL("sqlite.ts", import.meta.url).href)};
    const store = await openSqliteStore(${JSON.stringify(file)});
    console.log(${expression});
    await store.close();`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  return stdout.trim();
}
