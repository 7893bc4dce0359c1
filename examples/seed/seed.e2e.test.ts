import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type TestBrowser } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";

let browser: TestBrowser;
let server: ServerProcess;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer({ accounts: { admin: "test password" } })]);
});

afterAll(() => Promise.all([browser.close(), server.stop()]));

test("the seed's page, opened in two tabs, hears its echo in both", async () => {
  const source = await readFile(new URL("index.html", import.meta.url), "utf8");
  const html = source.replace("localhost:8000", new URL(server.url).host);
  const tabs = [await browser.open({ html }), await browser.open({ html })];
  for (const tab of tabs) {
    await tab.waitForLine("Routing data: Not Friday");
    await tab.waitForLine("Received: Not Friday");
    expect(tab.lines).toHaveLength(2);
  }
});
