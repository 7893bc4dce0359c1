import pg from "pg";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { until } from "../../tools/eventually.ts";
import { defaultLog } from "../log.ts";
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
  const nobody = await open();
  nobody.send("authenticate", { version: 1, username: "ann\0", password });
  expect((await nobody.next("error")).data.code).toBe("unauthenticated");
  const ann = await signIn("ann");
  expect((await ann.request("removeUser", { name: "\0" })).data.code).toBe("alias-reserved");
});

test("an unreachable store is reported with what to do and without the password", async () => {
  const opening = openStore("postgres://somebody:secret@127.0.0.1:1/nothing", log);
  await expect(opening).rejects.toThrow(/127\.0\.0\.1:1 cannot be used .*check that it runs/);
  await expect(opening).rejects.not.toThrow(/secret/);
});

/** Waits until another connection waits for what this one holds. */
async function waitingForLock(client: pg.Client): Promise<void> {
  await until(async () => (await client.query("select 1 from pg_locks where not granted")).rowCount !== 0, {
    interval: 5,
  });
}
