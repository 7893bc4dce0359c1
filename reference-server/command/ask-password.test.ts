import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { skipAll } from "../../tools/skip-all.ts";
import { defaultLog } from "../log.ts";
import { createServer } from "../server.ts";
import { openClient } from "../testing/test-client.ts";
import { signedIn } from "../testing/test-server.ts";

const cli = fileURLToPath(new URL("../cli.ts", import.meta.url));

/** `bonevalue-server user add ann` at a terminal, with these keys as input. */
async function addAnn(keys: string) {
  const folder = await mkdtemp(join(tmpdir(), "bonevalue-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const store = join(folder, "server.db");
  const command = [process.execPath, cli, "user", "add", "ann", "--store", store].map((word) => `'${word}'`).join(" ");
  // `script` of util-linux runs a command in a terminal of its own.
  const terminal = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"]);
  let shown = "";
  terminal.stdout.on("data", (chunk) => {
    const asked = shown.includes("ann: ");
    shown += chunk;
    if (!asked && shown.includes("ann: ")) terminal.stdin.write(keys);
  });
  const [code] = await once(terminal, "close");
  return { code, shown, store };
}

describe("a password at a terminal (script of util-linux)", () => {
  skipAll(process.platform === "linux" ? undefined : "Only the script command of Linux gives a command a terminal.");

  test("is asked for, accepted, and not echoed", async () => {
    const { code, shown, store } = await addAnn("correct horsx\x7fe\r");
    expect({ code, shown }).toEqual({ code: 0, shown: "Password for ann: \r\nann can sign in now.\r\n" });
    const server = await createServer({ port: 0, store, log: defaultLog("silent") });
    onTestFinished(() => server.close());
    const ann = await signedIn(await openClient(server.url), { username: "ann", password: "correct horse" });
    await ann.break();
  });

  test("can be cancelled with Ctrl-C", async () => {
    const { code, shown, store } = await addAnn("secret\x03");
    expect(code).toBe(1);
    expect(shown).not.toContain("secret");
    const server = await createServer({ port: 0, store, log: defaultLog("silent") });
    onTestFinished(() => server.close());
    await server.accounts.add("ann", "the name is free");
  });
});
