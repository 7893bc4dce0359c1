import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, type TestBrowser } from "../../tools/e2e.ts";
import { earlierCore, missingCommit } from "../../tools/earlier-core.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { skipAll } from "../../tools/skip-all.ts";
import { type SignedInTab, signIn, waitForEachOther } from "./signed-in-tab.ts";

// The last commit without acknowledgements, presence, profiles, rooms and identity.
const earlier = "2033a567681298faa7a02d6c6c5d3190a0c32db7^";
const credentials = { username: "ann", password: "test password" };
const count = 1_000;

/** A page with the client `$BV` of `library`. It offers modules, and logs errors and the number of messages. */
function pageWith(library: string): string {
  return `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script type="module">${library}</script>
<script type="module" src="/examples/scenarios/signed-in-tab.js"></script>
<script type="module">
$BV.on("error", ({ code, message }) => console.log("error", code, message));
$BV.module("Count", async function* ({ request }) {
  for (let number = 0; number < request; number++) yield number;
});
let next = 0;
$BV.module("Collect", ({ request }) => {
  if (request !== next++) console.log("error: out of order", request);
  if (next === ${count}) console.log("all messages");
});
</script>`;
}

const present = `
import { createClient, definePresence } from "/dist/browser.js";
globalThis.$BV = createClient({ profile: { avatar: "/ann.png" } });
const Cursor = definePresence("Cursor");
globalThis.cursor = $BV.presence(Cursor, { x: 0 });
$BV.get("*").presence(Cursor).subscribe((others) => {
  if (others.length > 0) console.log("error: presence of", others[0].peer.id);
});`;

/** The library of the earlier commit, as a script. */
async function earlierLibrary(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [earlierCore(earlier).replace(/index\.ts$/, "global.ts")],
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  return outputFiles[0]!.text.replaceAll("</script", "<\\/script");
}

describe("a page of an earlier version", () => {
  const missing = missingCommit(earlier);
  skipAll(missing);

  let browser: TestBrowser;
  let server: ServerProcess;
  let older: SignedInTab;
  let newer: SignedInTab;

  beforeAll(async () => {
    if (missing !== undefined) return;
    [browser, server] = await Promise.all([launch(), startServer({ accounts: { ann: credentials.password } })]);
    older = await signIn(browser, server.url, credentials, { html: pageWith(await earlierLibrary()) });
    newer = await signIn(browser, server.url, credentials, { html: pageWith(present) });
    await waitForEachOther([older, newer]);
  });
  afterAll(() => Promise.all([browser?.close(), server?.stop()]));

  test("calls a page of this version, and is called by it", async () => {
    expect(await older.call("*")).toEqual([`Us ${newer.id} Not Friday`]);
    expect(await newer.call("*")).toEqual([`Us ${older.id} Not Friday`]);
  });

  test("exchanges streams and messages with it, whose presence and profile change meanwhile", async () => {
    const tabs = [older.browserTab, newer.browserTab];
    await newer.browserTab.page.evaluate(changePresence);
    for (const { page } of tabs) {
      expect(await page.evaluate(readStream)).toEqual([0, 1, 2]);
      await page.evaluate(sendMessages, count);
    }
    await Promise.all(tabs.map((tab) => tab.waitForLine("all messages")));
    expect(await newer.call("*")).toEqual([`Us ${older.id} Not Friday`]);
    expect(tabs.flatMap(({ lines }) => lines).filter((line) => /error|disconnect/i.test(line))).toEqual([]);
  });
});

declare const cursor: { set(value: unknown): void };

async function changePresence(): Promise<void> {
  cursor.set({ x: 1 });
  await $BV.setProfile({ avatar: "/bob.png" });
}

async function readStream(): Promise<unknown[]> {
  const numbers: unknown[] = [];
  for await (const number of await $BV.get("*").call("Count", 3).first()) numbers.push(number);
  return numbers;
}

function sendMessages(total: number): void {
  for (let number = 0; number < total; number++) $BV.get("*").message("Collect", number);
}
