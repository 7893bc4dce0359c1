import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { defaultLog } from "../log.ts";
import { startPostgres, type TestPostgres } from "../testing/postgres.ts";
import { describeStore } from "./conformance.ts";
import { openStore } from "./open.ts";
import { postgresStore } from "./postgres.ts";

vi.setConfig({ testTimeout: 20_000, hookTimeout: 60_000 });

const log = defaultLog("silent");
let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

describeStore("PostgreSQL", async () => {
  const url = await postgres.database();
  const store = await postgresStore(url, log);
  return { store, reopen: () => postgresStore(url, log), dispose: store.close };
});

test("two servers claim one token at the same moment, and one gets it", async () => {
  const url = await postgres.database();
  const [one, two] = await Promise.all([postgresStore(url, log), postgresStore(url, log)]);
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

test("a store out of reach is refused with what to do, and without the password", async () => {
  const opening = openStore("postgres://somebody:secret@127.0.0.1:1/nothing", log);
  await expect(opening).rejects.toThrow(/127\.0\.0\.1:1 cannot be used .*check that it runs/);
  await expect(opening).rejects.not.toThrow(/secret/);
});
