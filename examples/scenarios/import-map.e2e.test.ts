import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type TestBrowser } from "../../tools/e2e.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const html = `<!doctype html>
<title>An import map</title>
<link rel="icon" href="data:,">
<script type="importmap">{ "imports": { "bonevalue": "/dist/browser.js" } }</script>
<script type="module">
import { broadcastChannel, createClient, defineModule } from "bonevalue";

const Echo = defineModule("Echo");
const client = createClient({ discovery: broadcastChannel() });
client.module(Echo, ({ request }) => "Not " + request);
client.on("peerconnect", async ({ id }) => {
  const [reply] = await client.get(id).call(Echo, "Friday").all();
  console.log("heard", reply.value ?? reply.error);
});
await client.connect("import-map", "ann", "");
console.log("in");
</script>`;

test("pages without a bundler import the client by an import map, and load one file", async () => {
  const first = await browser.open({ html });
  await first.waitForLine("in");
  const second = await browser.open({ html });
  expect(await Promise.all([first.waitForLine("heard"), second.waitForLine("heard")])).toEqual([
    "heard Not Friday",
    "heard Not Friday",
  ]);
  const scripts = await first.page.evaluate(() =>
    performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname),
  );
  expect(scripts).toEqual(["/dist/browser.js"]);
});
