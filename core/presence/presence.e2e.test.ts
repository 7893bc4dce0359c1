import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Tab, type TestBrowser } from "../../tools/e2e.ts";
import { eventually } from "../../tools/eventually.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import type { Client } from "../client.ts";
import type { OwnPresence, PeerPresence, PresenceDefinition } from "./definition.ts";

declare global {
  var client: Client;
  var Cursor: PresenceDefinition;
  var mine: OwnPresence<any>;
  var shown: readonly PeerPresence<any>[];
}

const html = `<!doctype html><link rel="icon" href="data:,"><script type="module">
  import { createClient, definePresence } from "/dist/browser.js";
  globalThis.client = createClient();
  globalThis.Cursor = definePresence("Cursor");
  client.get("*").presence(Cursor).subscribe((others) => (globalThis.shown = others));
</script>`;

let browser: TestBrowser;
let server: ServerProcess;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer({ accounts: { ann: "a test of presence" } })]);
});

afterAll(() => Promise.all([browser.close(), server.stop()]));

/** Opens a page that is signed in, offers `initial`, and follows all others. */
async function open(initial: unknown): Promise<Tab> {
  const tab = await browser.open({ html });
  await tab.page.waitForFunction(() => globalThis.client !== undefined);
  await tab.page.evaluate(
    async ([url, initial]) => {
      globalThis.mine = client.presence(Cursor, initial);
      await client.connect(String(url), "ann", "a test of presence");
    },
    [server.url, initial] as const,
  );
  return tab;
}

function expectShown(tab: Tab, values: readonly unknown[]): Promise<void> {
  return eventually(async () => {
    expect(await tab.page.evaluate(() => shown.map(({ value, stale }) => (stale ? [value, "stale"] : value)))).toEqual(
      values,
    );
  });
}

test("pages show each other's latest value, whatever its size, until they leave", { timeout: 60_000 }, async () => {
  const [one, other] = await Promise.all([open("one"), open("other")]);
  await Promise.all([expectShown(one, ["other"]), expectShown(other, ["one"])]);
  for (const length of [10, 3_000, 16_000]) {
    await one.page.evaluate(async (length) => {
      for (let step = 1; step <= 120; step++) {
        mine.set({ step, text: "x".repeat(length) });
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
    }, length);
    await expectShown(other, [{ step: 120, text: "x".repeat(length) }]);
  }
  await one.page.evaluate(() => mine.stop());
  await expectShown(other, []);
  await one.page.evaluate(() => {
    mine = client.presence(Cursor, "again");
  });
  await expectShown(other, ["again"]);
  await one.close();
  await expectShown(other, []);
  expect(other.lines).toEqual([]);
  await other.close();
});

test("a page that hangs shows the latest value when it runs again", { timeout: 60_000 }, async () => {
  const [sender, hanging] = await Promise.all([open(0), open("hanging")]);
  await expectShown(hanging, [0]);
  const hung = hanging.page.evaluate(() => {
    const until = performance.now() + 2_000;
    while (performance.now() < until);
  });
  await sender.page.evaluate(async () => {
    for (let step = 1; step <= 300; step++) {
      mine.set(step);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  await hung;
  await expectShown(hanging, [300]);
  await Promise.all([sender.close(), hanging.close()]);
});
