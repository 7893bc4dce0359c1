import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { expect, onTestFinished, test, vi } from "vitest";
import { createPlatformAlgorithms } from "./algorithms.ts";
import { createDevice } from "./device.ts";
import { fileKeyStore } from "./file-key-store.ts";

const name = "server ann";

function createPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "keys-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "keys.sqlite");
}

test("a device has the same key after a restart, and after a reset another one", async () => {
  const path = createPath();
  const algorithms = createPlatformAlgorithms(crypto.subtle);
  const read = () => createDevice({ algorithms, store: fileKeyStore(path), name }).read();
  const { key, record } = await read();
  expect(await read()).toMatchObject({ record, key: { publicKey: key.publicKey } });
  await createDevice({ algorithms, store: fileKeyStore(path), name }).reset();
  expect((await read()).key.publicKey).not.toEqual(key.publicKey);
});

test.for([false, true])("only the owner can read the file, existing before: %s", async (exists) => {
  const path = createPath();
  if (exists) writeFileSync(path, "", { mode: 0o644 });
  await fileKeyStore(path).update(name, () => "kept");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a change that throws leaves the record as it was", async () => {
  const store = fileKeyStore(createPath());
  await store.update(name, () => "kept");
  const error = new Error("no");
  const failing = store.update(name, () => {
    throw error;
  });
  await expect(failing).rejects.toBe(error);
  expect(await store.update(name, (record) => record)).toBe("kept");
});

test("a file is opened once and waits for other processes, and what did not change is not written", async () => {
  const exec = vi.spyOn(DatabaseSync.prototype, "exec");
  const prepare = vi.spyOn(DatabaseSync.prototype, "prepare");
  onTestFinished(() => void vi.restoreAllMocks());
  const store = fileKeyStore(createPath());
  await store.update(name, () => "kept");
  prepare.mockClear();
  await store.update(name, (record) => record);
  expect(prepare.mock.calls).toEqual([[expect.stringContaining("SELECT")]]);
  expect(new Set(exec.mock.contexts).size).toBe(1);
  const [database] = exec.mock.contexts as DatabaseSync[];
  expect(database!.prepare("PRAGMA busy_timeout").get()).toEqual({ timeout: 10_000 });
});

test("several processes change a record one after the other", async () => {
  const path = createPath();
  const script = `
    import { fileKeyStore } from ${JSON.stringify(new URL("file-key-store.ts", import.meta.url).href)};
    const store = fileKeyStore(${JSON.stringify(path)});
    for (let count = 0; count < 50; count++) await store.update("count", (record = 0) => record + 1);`;
  const run = () => promisify(execFile)(process.execPath, ["--no-warnings", "--input-type=module", "--eval", script]);
  await Promise.all([run(), run(), run()]);
  expect(await fileKeyStore(path).update("count", (record) => record)).toBe(150);
});

test("a folder that does not exist rejects, and the next use tries again", async () => {
  const folder = join(createPath(), "..", "missing");
  const store = fileKeyStore(join(folder, "keys.sqlite"));
  await expect(store.update(name, () => 1)).rejects.toMatchObject({ code: "ENOENT" });
  mkdirSync(folder);
  expect(await store.update(name, () => 1)).toBe(1);
  expect(store.storesCryptoKeys).toBe(false);
});
