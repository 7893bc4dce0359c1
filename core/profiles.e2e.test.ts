import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Tab, type TestBrowser } from "../tools/e2e.ts";
import { eventually } from "../tools/eventually.ts";
import { type ServerProcess, startServer } from "../tools/server-process.ts";
import type { Client } from "./client.ts";
import type { Profile } from "./peer.ts";

declare global {
  var client: Client;
  var updates: unknown[];
}

const html = `<!doctype html><link rel="icon" href="data:,"><script type="module">
  import { createClient } from "/dist/browser.js";
  globalThis.client = createClient();
  globalThis.updates = [];
  client.on("peerupdate", ({ name, profile }) => updates.push([name, profile]));
</script>`;

let browser: TestBrowser;
let server: ServerProcess;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer({ options: { rooms: true } })]);
});

afterAll(() => Promise.all([browser.close(), server.stop()]));

/** Opens a page in the room. */
async function enter(name: string, profile: Profile): Promise<Tab> {
  const tab = await browser.open({ html });
  await tab.page.waitForFunction(() => globalThis.client !== undefined);
  await tab.page.evaluate(
    ([url, name, profile]) => {
      client.setProfile(profile);
      return client.connect(url, { room: "profiles", name });
    },
    [server.url, name, profile] as const,
  );
  return tab;
}

const others = ({ page }: Tab) => page.evaluate(() => client.peers.peek().map(({ name, profile }) => [name, profile]));

test("pages see the profiles of others as they enter, and every change of them", async () => {
  const ann = await enter("Ann", { color: "red" });
  const oli = await enter("Oli", { color: "blue" });
  await eventually(async () => expect(await others(oli)).toEqual([["Ann", { color: "red" }]]));
  await eventually(async () => expect(await others(ann)).toEqual([["Oli", { color: "blue" }]]));
  expect(await ann.page.evaluate(() => updates)).toEqual([]);

  await oli.page.evaluate(() => client.setProfile({ color: "green", isAway: true }));
  const changed = ["Oli", { color: "green", isAway: true }];
  await eventually(async () => expect(await ann.page.evaluate(() => updates)).toEqual([changed]));
  expect(await others(ann)).toEqual([changed]);
  expect([...ann.lines, ...oli.lines]).toEqual([]);
});
