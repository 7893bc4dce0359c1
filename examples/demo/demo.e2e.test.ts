import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { launch, type Tab, type TestBrowser } from "../../tools/e2e.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
let browser: TestBrowser;
let folder: string;
let demo: ChildProcess | undefined;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bonevalue-demo-test-"));
});
afterEach(async () => {
  demo?.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

function run(...args: readonly string[]): ChildProcess {
  demo = spawn("node", [main, "--port", "0", ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return demo;
}

test("with --once it prints the calls of both Node peers, exits, and deletes its files", async () => {
  const child = run("--once");
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => lines.push(line.trim()));
  expect(await once(child, "close")).toEqual([0, null]);
  for (const who of ["Ann", "Oli"]) {
    expect(lines).toContain(`${who}  Routing data: Not Friday`);
    expect(lines).toContain(`${who}  Received: Not Friday`);
  }
  expect(await readdir(folder)).toEqual([]);
});

test("its page signs in with one click, and calls all peers, the own account, a user and one peer", async () => {
  const child = run();
  const url = await pageOf(child);
  const ann = await browser.open(url);
  const oli = await browser.open(url);
  await signIn(ann, "Ann");
  await signIn(oli, "Oli");

  const { page } = ann;
  // A Node peer of each account, and the other tab.
  await page.locator(".peer").nth(2).waitFor();
  await send(ann, "everyone", 3);
  await page.getByRole("radio", { name: "Us your other peers" }).check();
  await send(ann, "your other peers", 1);
  await page.getByRole("radio", { name: /^Oli/ }).check();
  await send(ann, "Oli", 2);
  const { name, id } = await oli.page.evaluate(() => ({
    name: document.querySelector("#my-name")?.textContent,
    id: document.querySelector("#my-id")?.textContent,
  }));
  await page.getByRole("radio", { name: id! }).check();
  await send(ann, `${name} ${id}`, 1);
  await oli.page.locator(".heard", { hasText: "Ann" }).getByText("Not Friday").first().waitFor();
  expect([...ann.lines, ...oli.lines]).toEqual([]);

  child.kill("SIGINT");
  expect(await once(child, "close")).toEqual([0, null]);
  expect(await readdir(folder)).toEqual([]);
  await Promise.all([ann.close(), oli.close()]);
});

async function pageOf({ stdout }: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: stdout! })) {
    const url = /http:\S+/.exec(line)?.[0];
    if (url !== undefined) return url;
  }
  throw new Error("The demo ended before it printed the URL of its page.");
}

async function signIn({ page }: Tab, name: string): Promise<void> {
  await page.getByRole("button", { name: `Sign in as ${name}` }).click();
  await page.getByText("connect", { exact: true }).waitFor();
}

/** Sends the suggested text, and waits for all replies. */
async function send({ page }: Tab, to: string, answers: number): Promise<void> {
  await page.getByRole("button", { name: `Send to ${to}`, exact: true }).click();
  const entry = page.locator(".sent").first();
  await entry.getByText(`to ${to}`, { exact: true }).waitFor();
  await entry.getByText(`${answers} of ${answers} answered`).waitFor();
  expect(await entry.locator("li q").allTextContents()).toEqual(Array(answers).fill("Not Friday"));
  expect(await entry.locator("li time").allTextContents()).toEqual(Array(answers).fill(expect.stringMatching(/ ms$/)));
}
