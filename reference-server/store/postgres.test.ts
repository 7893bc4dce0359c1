import pg from "pg";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { until } from "../../tools/eventually.ts";
import { defaultLog } from "../log.ts";
import { startCuttableProxy } from "../testing/cuttable-proxy.ts";
import { startPostgres, type TestPostgres } from "../testing/postgres.ts";
import { password, startTestServer } from "../testing/test-server.ts";
import { describeStore } from "./conformance.ts";
import { openStore } from "./open.ts";
import { openPostgresStore } from "./postgres.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 60_000 });

const log = defaultLog("silent");
let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

describeStore("PostgreSQL", async () => {
  const url = await postgres.database();
  const store = await openPostgresStore(url, log);
  return { store, reopen: () => openPostgresStore(url, log), dispose: store.close };
});

test("of two servers that claim one token at the same moment, one succeeds", async () => {
  const url = await postgres.database();
  const [one, two] = await Promise.all([openPostgresStore(url, log), openPostgresStore(url, log)]);
  for (const name of ["ann", "bob", "cat"]) await one.addAccount(name, "h");
  for (let round = 0; round < 20; round++) {
    await one.addToken({ hash: `t${round}`, owner: "ann", alias: `Friend`, expires: 10 });
    const outcomes = await Promise.all([
      one.claimToken(`t${round}`, "bob", "Ann", 5),
      two.claimToken(`t${round}`, "cat", "Ann", 5),
    ]);
    expect(outcomes.filter((outcome) => "other" in outcome)).toHaveLength(1);
    await one.untrust("ann", "Friend");
  }
  await Promise.all([one.close(), two.close()]);
});

test("no session is added while the password is being changed", async () => {
  const url = await postgres.database();
  const store = await openPostgresStore(url, log);
  await store.addAccount("ann", "old");
  const other = new pg.Client(url);
  await other.connect();
  await other.query("begin");
  await other.query("update accounts set password = 'new' where username = 'ann'");
  await other.query("delete from sessions where username = 'ann'");
  const adding = store.addSession({ hash: "s", username: "ann", peer: "p", seen: 1 }, "old");
  await waitingForLock(other);
  await other.query("commit");
  expect(await adding).toBe(false);
  await other.end();
  await store.close();
});

test("a restart of PostgreSQL closes no socket, and the store works again", async () => {
  const { signIn } = await startTestServer(["ann", "bob"], { store: await postgres.database() });
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  await postgres.restart();
  await until(async () => (await ann.request("requestToken", { name: "Cat" })).type === "tokenResponse");
  expect((await signIn("ann", { session: ann.session })).id).toBe(ann.id);
  await bob.settled();
});

// ── failover ──

/** Resolves to the seconds until `attempt` succeeds. */
async function secondsUntil(attempt: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await until(
    () =>
      attempt().then(
        () => true,
        () => false,
      ),
    { timeout: 15_000, interval: 100 },
  );
  return (performance.now() - began) / 1_000;
}

const failovers: [string, (primary: TestPostgres) => Promise<void>][] = [
  [
    "read-only",
    async (primary) => {
      await primary.run("alter system set default_transaction_read_only = on");
      await primary.run("select pg_reload_conf()");
    },
  ],
  ["killed", (primary) => primary.kill()],
  ["paused", async (primary) => primary.pause()],
];

test.each(failovers)(
  "after a failover from a primary that is %s, sign-ins work within 5 seconds, and /healthz is truthful",
  async (_, fail) => {
    const primary = await startPostgres("max_wal_senders=4", "wal_level=replica");
    onTestFinished(primary.stop);
    const database = await primary.database();
    const address = await startCuttableProxy(database);
    onTestFinished(address.stop);
    const { server, signIn, clock } = await startTestServer(["ann", "bob"], { store: address.url });
    const ann = await signIn("ann");
    // Several clients in the pool.
    await Promise.all(Array.from({ length: 8 }, () => signIn("ann")));
    const replica = await primary.replica();
    onTestFinished(replica.stop);
    const health = async () => {
      clock.advance(2_000);
      return (await fetch(`${server.url.replace("ws", "http")}/healthz`)).status;
    };
    expect(await health()).toBe(200);

    await fail(primary);
    await until(async () => (await health()) === 503, { timeout: 15_000 });
    await replica.promote();
    address.redirect(replica.url(new URL(database).pathname.slice(1)));
    const seconds = await secondsUntil(() => signIn("bob"));
    expect(seconds).toBeLessThan(5);
    expect(await health()).toBe(200);
    expect((await signIn("ann", { session: ann.session })).id).toBe(ann.id);
    await ann.settled().catch(() => {});
  },
  60_000,
);

test("while PostgreSQL has no free connection, callers wait for one of the pool", async () => {
  const own = await startPostgres("max_connections=12", "superuser_reserved_connections=0", "max_wal_senders=0");
  onTestFinished(own.stop);
  const url = await own.database();
  const store = await openPostgresStore(url, log);
  await store.account("ann");
  const others = Array.from({ length: 10 }, () => new pg.Client(url));
  for (const other of others) {
    other.on("error", () => {});
    await other.connect();
  }
  onTestFinished(async () => {
    for (const other of others) await other.end();
  });
  const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => store.addAccount(`user${at}`, "h")));
  expect(answers).toEqual(Array(50).fill(true));
  await store.close();
});

test("the pool has at most `poolSize` connections", async () => {
  const url = await postgres.database();
  const store = await openStore(url, log, 3);
  const other = new pg.Client(url);
  await other.connect();
  await Promise.all(Array.from({ length: 30 }, (_, at) => store.addAccount(`user${at}`, "h")));
  const { rows } = await other.query(
    "select count(*)::int as count from pg_stat_activity where datname = current_database()",
  );
  expect(rows[0].count).toBe(4);
  await other.end();
  await store.close();
});

test("a PostgreSQL that accepts only TLS is reported with what to add to the URL", async () => {
  const own = await startPostgres();
  onTestFinished(own.stop);
  await own.run("create role ann login");
  await own.run("copy (select 'hostssl all ann 127.0.0.1/32 trust') to program 'cat > pg_hba.conf'");
  await own.run("select pg_reload_conf()");
  const url = own.url("postgres").replace("tester", "ann");
  await until(() =>
    openStore(url, log).then(
      () => false,
      () => true,
    ),
  );
  await expect(openStore(url, log)).rejects.toThrow(/accepts only TLS, so add \?sslmode=require to the URL/);
});

test("two users who end their trust at the same moment do not deadlock", async () => {
  const url = await postgres.database();
  const store = await openPostgresStore(url, log);
  for (const name of ["ann", "bob"]) await store.addAccount(name, "h");
  await store.trust("ann", "Bob", "bob", "Ann");
  const ann = new pg.Client(url);
  await ann.connect();
  await ann.query("begin");
  await ann.query("delete from trust where owner = 'ann'");
  const ending = store.untrust("bob", "Ann");
  await waitingForLock(ann);
  await ann.query("delete from trust where owner = 'bob'");
  await ann.query("commit");
  expect(await ending).toBeUndefined();
  await ann.end();
  await store.close();
});

test("names with a character that PostgreSQL rejects are answered like unknown names", async () => {
  const { open, signIn } = await startTestServer(["ann"], { store: await postgres.database() });
  const client = await open();
  client.send("authenticate", { version: 1, username: "ann\0", password });
  expect((await client.next("error")).data.code).toBe("unauthenticated");
  const ann = await signIn("ann");
  expect((await ann.request("removeUser", { name: "\0" })).data.code).toBe("alias-reserved");
});

test("an unreachable store is reported with what to do and without the password", async () => {
  const opening = openStore("postgres://somebody:secret@127.0.0.1:1/nothing", log);
  await expect(opening).rejects.toThrow(/127\.0\.0\.1:1 cannot be used .*check that it runs/);
  await expect(opening).rejects.not.toThrow(/secret/);
});

test("a URL of several hosts, as libpq accepts it, is reported with what to use instead", async () => {
  const opening = openStore("postgres://ann:secret@one:5432,two:5432/db?target_session_attrs=read-write", log);
  await expect(opening).rejects.toThrow(/Invalid URL.* with one host, whose address follows the primary/);
  await expect(opening).rejects.not.toThrow(/secret/);
});

/** Waits until another connection waits for a lock of this one. */
async function waitingForLock(client: pg.Client): Promise<void> {
  await until(async () => (await client.query("select 1 from pg_locks where not granted")).rowCount !== 0, {
    interval: 5,
  });
}
