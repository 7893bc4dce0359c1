import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Stage } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";

let stage: Stage;
let server: ServerProcess;

beforeAll(async () => {
  [stage, server] = await Promise.all([launch(), startServer({ accounts: { admin: "test" } })]);
});

afterAll(() => Promise.all([stage.close(), server.stop()]));

test("the seed's page, opened in two tabs, hears its echo in both", async () => {
  const source = await readFile(new URL("index.html", import.meta.url), "utf8");
  const html = source.replace("localhost:8000", new URL(server.url).host);
  const tabs = [await stage.open({ html }), await stage.open({ html })];
  for (const tab of tabs) {
    await tab.says("Routing data: Not Friday");
    await tab.says("Received: Not Friday");
    expect(tab.lines).toHaveLength(2);
  }
});
