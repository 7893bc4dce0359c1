import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { launch, type TestBrowser } from "../../tools/e2e.ts";
import { until } from "../../tools/eventually.ts";
import { freePort } from "../testing/process.ts";
import { openClient } from "../testing/test-client.ts";

const cli = fileURLToPath(new URL("../cli.ts", import.meta.url));
let browser: TestBrowser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** Runs `dev` until the test ends; resolves when it has printed its text. */
async function runDev(...args: string[]) {
  const child = spawn(process.execPath, [cli, "dev", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit").then(([code]) => code as number);
  onTestFinished(() => void child.kill("SIGKILL"));
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  await until(() => text.includes('"bob"'));
  const snippet = /^import [\s\S]*?^await client\.connect.*$/m.exec(text)?.[0] ?? "";
  const accounts = [...text.matchAll(/^ {2}(await client\.connect.*)$/gm)].map(([, line]) => line as string);
  const host = /is at (\S+),/.exec(text)?.[1] ?? "";
  return { text, snippet, accounts, host, exited, stop: () => child.kill("SIGINT") };
}

const page = (program: string) => `<!doctype html>
<title>Pasted</title>
<link rel="icon" href="data:,">
<script type="importmap">{ "imports": { "bonevalue": "/dist/browser.js" } }</script>
<script type="module">
${program}
console.log("signed in as", client.getId());
</script>`;

/** Opens a page for each program, one after the other, and waits until each has greeted the other. */
async function greetings(programs: readonly [string, string]): Promise<string[]> {
  const tabs = [];
  for (const program of programs) {
    const tab = await browser.open({ html: page(program) });
    onTestFinished(() => tab.close());
    await tab.waitForLine("signed in as");
    tabs.push(tab);
  }
  return Promise.all(tabs.map((tab) => tab.waitForLine(/^Hello|^Uncaught/)));
}

describe("dev", () => {
  test("prints a program that greets the other pages in its room", async () => {
    const { snippet } = await runDev("--port", `${await freePort()}`);
    const lines = await greetings([snippet, snippet.replace('"Ann"', '"Bob"')]);
    expect(lines).toEqual([
      expect.stringMatching(/^Hello Ann, this is [0-9a-f]{32}$/),
      expect.stringMatching(/^Hello Bob, this is [0-9a-f]{32}$/),
    ]);
  });

  test("prints two accounts that trust each other", async () => {
    const { snippet, accounts } = await runDev("--port", `${await freePort()}`);
    const sign = (line: string) => snippet.replace(/^await client\.connect.*$/m, () => line);
    const lines = await greetings([sign(accounts[0]!), sign(accounts[1]!)]);
    expect(lines).toEqual([expect.stringMatching(/^Hello Ann, /), expect.stringMatching(/^Hello Bob, /)]);
  });

  test("takes the next free port, and SIGINT stops it", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    const { host, stop, exited } = await runDev("--port", `${port}`);
    expect(host).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(Number(host.split(":")[1])).toBeGreaterThan(port);
    stop();
    expect(await exited).toBe(0);
  });

  test("accepts pages of loopback origins only, also if their host name leads here", async () => {
    const { host } = await runDev("--port", `${await freePort()}`);
    for (const origin of ["http://localhost:5173", "https://127.0.0.1", "http://[::1]:3000"])
      (await openClient(`ws://${host}`, { origin })).socket.terminate();
    const rebound = { origin: "http://evil.example.org:8000", headers: { host: "evil.example.org:8000" } };
    await expect(openClient(`ws://${host}`, rebound)).rejects.toThrow("403");
  });
});
