import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Tab, type TestBrowser } from "../../tools/e2e.ts";
import { root } from "../../tools/entries.ts";

let browser: TestBrowser;
let bundle: ReadonlyMap<string, string>;

/** Bundles the client as an app does, into one file that pages load at first and others that are loaded lazily. */
async function bundleClient(): Promise<ReadonlyMap<string, string>> {
  const { outputFiles } = await build({
    stdin: { contents: `export { broadcastChannel, createClient } from "bonevalue"`, resolveDir: root },
    tsconfigRaw: {},
    bundle: true,
    splitting: true,
    format: "esm",
    outdir: "/bundle",
    write: false,
  });
  return new Map(outputFiles.map(({ path, text }) => [path, text]));
}

beforeAll(async () => {
  [browser, bundle] = await Promise.all([launch(), bundleClient()]);
});
afterAll(() => browser.close());

const program = `
import { broadcastChannel, createClient } from "/bundle/stdin.js";

const client = createClient({ discovery: broadcastChannel() });
client.module("Echo", ({ request }) => "Not " + request);
client.on("peerconnect", () => console.log("peerconnect"));
globalThis.call = async () => {
  const [{ value, error }] = await client.get("*").call("Echo", "Friday").all();
  return value ?? error.code + ": " + error.message;
};
await client.connect("removed-script", "ann", "");
console.log("in");`;

/** Opens a page that is signed in. Its server has the scripts for which `has` returns true. */
async function open(has: (path: string) => boolean): Promise<Tab & { call(): Promise<string> }> {
  const tab = await browser.open({ html: `<!doctype html><title>A bundle</title><link rel="icon" href="data:,">` });
  await tab.page.route("**/bundle/*", (route) => {
    const path = new URL(route.request().url()).pathname;
    const body = has(path) ? bundle.get(path) : undefined;
    return route.fulfill(body === undefined ? { status: 404 } : { contentType: "text/javascript", body });
  });
  await tab.page.addScriptTag({ type: "module", content: program });
  await tab.waitForLine("in");
  return { ...tab, call: () => tab.page.evaluate("call()") };
}

test("calls of a page whose server lacks the part for links say so, and work once it is back", async () => {
  let isRemoved = true;
  const a = await open((path) => !isRemoved || !path.includes("open-connection"));
  const b = await open(() => true);
  await Promise.all([a.waitForLine("peerconnect"), b.waitForLine("peerconnect")]);
  expect(await a.call()).toMatch(/^link-failed: A script of this page has not loaded/);
  // Whether its link has opened before the other page gives it up depends on timing.
  expect(await b.call()).toMatch(/^(link-failed|disconnected): /);
  isRemoved = false;
  expect(await a.call()).toBe("Not Friday");
  expect(await b.call()).toBe("Not Friday");
});
