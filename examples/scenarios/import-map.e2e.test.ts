import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Stage } from "../../tools/e2e.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await launch();
});
afterAll(() => stage.close());

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
  const first = await stage.open({ html });
  await first.says("in");
  const second = await stage.open({ html });
  expect(await Promise.all([first.says("heard"), second.says("heard")])).toEqual([
    "heard Not Friday",
    "heard Not Friday",
  ]);
  const scripts = await first.page.evaluate(() =>
    performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname),
  );
  expect(scripts).toEqual(["/dist/browser.js"]);
});
