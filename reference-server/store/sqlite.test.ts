import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { describeStore } from "./conformance.ts";
import { sqliteStore } from "./sqlite.ts";

async function inNewFolder() {
  const folder = await mkdtemp(join(tmpdir(), "bonevalue-"));
  const file = join(folder, "server.db");
  const store = await sqliteStore(file);
  return {
    store,
    file,
    reopen: () => sqliteStore(file),
    async dispose() {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

describeStore("SQLite", inNewFolder);

test("two processes share one file, and of their claims at once one wins", async () => {
  const { store, file, dispose } = await inNewFolder();
  for (const name of ["ann", "bob", "cat"]) await store.addAccount(name, "h");
  await store.addToken({ hash: "t", owner: "ann", alias: "Friend", expires: 10 });
  const outcomes = await Promise.all([claimElsewhere(file, "bob"), claimElsewhere(file, "cat")]);
  expect(outcomes.toSorted()).toEqual(['{"other":"ann"}', '{"refused":"token-invalid"}']);
  await dispose();
});

async function claimElsewhere(file: string, claimer: string): Promise<string> {
  const script = `
    import { sqliteStore } from ${JSON.stringify(new URL("sqlite.ts", import.meta.url).href)};
    const store = await sqliteStore(${JSON.stringify(file)});
    console.log(JSON.stringify(await store.claimToken("t", "${claimer}", "Ann", 5)));
    await store.close();`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  return stdout.trim();
}
