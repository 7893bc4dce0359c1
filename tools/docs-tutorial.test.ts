import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bonevalue } from "../reference-server/vite.ts";
import { launch, type Tab, type TestBrowser } from "./e2e.ts";
import { packages, root } from "./entries.ts";
import { programsOf, snippetsOf } from "./snippets.ts";

let folder: string;
let vite: ViteDevServer;
let browser: TestBrowser;

beforeAll(async () => {
  folder = writeApp();
  const server = { host: "127.0.0.1", port: 0, fs: { strict: false } };
  const optimizeDeps = { noDiscovery: true };
  vite = await createServer({ root: folder, configFile: false, plugins: [bonevalue()], server, optimizeDeps });
  [browser] = await Promise.all([launch(), vite.listen()]);
});
afterAll(async () => {
  await browser.close();
  await vite.close();
  rmSync(folder, { recursive: true });
});

test("the tutorial leads to a chat that sends files, whose members stay when they reload", async () => {
  const ann = await enter("Ann", vite.resolvedUrls!.local[0]!);
  const room = ann.page.url();
  const bob = await enter("Bob", room);
  await ann.page.getByText("Here are Bob and you.").waitFor();
  await bob.page.getByText("online").waitFor();

  await ann.page.getByLabel("Message").fill("<b>Lunch?</b>");
  await ann.page.getByRole("button", { name: "Send" }).click();
  await ann.page.getByText("You: <b>Lunch?</b>").waitFor();
  await bob.page.getByText("Ann: <b>Lunch?</b>").waitFor();

  const file = { name: "list.txt", mimeType: "text/plain", buffer: Buffer.from("milk") };
  await bob.page.getByLabel("File").setInputFiles(file);
  await ann.page.getByRole("link", { name: "list.txt" }).waitFor();
  await bob.page.getByText("You: Ann has list.txt").waitFor();
  await bob.page.getByText("100 %").waitFor();

  await bob.page.reload();
  await bob.page.getByText("Here are Ann and you.").waitFor();
  await bob.page.goto(`${room}-another`);
  await bob.page.reload();
  await bob.page.getByText("Send this page's address to a friend.").waitFor();
  await ann.page.getByText("Send this page's address to a friend.").waitFor();
  expect([...ann.lines, ...bob.lines].filter((line) => !line.startsWith("[vite]"))).toEqual([]);
});

/** Opens a page whose user gives this name when the page asks for it. */
async function enter(name: string, url: string): Promise<Tab> {
  const tab = await browser.open("about:blank");
  tab.page.on("dialog", (dialog) => dialog.accept(name));
  await tab.page.goto(url);
  await tab.page.getByText("online").waitFor();
  return tab;
}

/** Writes what the tutorial says into a folder. */
function writeApp(): string {
  const app = mkdtempSync(join(tmpdir(), "bonevalue-tutorial-"));
  const path = "docs/start/tutorial.md";
  const programs = programsOf(snippetsOf(path, readFileSync(root + path, "utf8")));
  const textIn = (language: string) => programs.find((program) => program.language === language)!.text;
  const head = `<!doctype html><title>Chat</title><link rel="icon" href="data:,">`;
  writeFileSync(join(app, "index.html"), `${head}${textIn("html")}<script type="module" src="main.ts"></script>`);
  writeFileSync(join(app, "main.ts"), textIn("ts"));
  mkdirSync(join(app, "node_modules"));
  for (const { name, folder: source } of packages) symlinkSync(root + source, join(app, "node_modules", name));
  symlinkSync(`${root}node_modules/valibot`, join(app, "node_modules", "valibot"));
  return app;
}
