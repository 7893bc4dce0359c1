import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Tab, type TestBrowser } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";

let browser: TestBrowser;
let server: ServerProcess;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer({ accounts: { ann: "test password" } })]);
});

afterAll(() => Promise.all([browser.close(), server.stop()]));

const count = 100_000;

/** A page that signs in and runs `script`, which has `client`. */
function page(script: string): { readonly html: string } {
  const { url } = server;
  return {
    html: `<!doctype html><script type="module">
      import { createClient } from "/dist/browser.js";
      const client = createClient();
      client.on("error", ({ code, message }) => console.log("error", code, message));
      ${script}
      await client.connect(${JSON.stringify(url)}, "ann", "test password");
      console.log("signed in as", client.getId());
    </script>`,
  };
}

/** The bytes of the JavaScript heap of a tab, after a garbage collection and at most so far. Call `stop` at the end. */
async function measureHeap({ page }: Tab) {
  const session = await page.context().newCDPSession(page);
  const used = async () => (await session.send("Runtime.getHeapUsage")).usedSize;
  let most = 0;
  let isOver = false;
  const sampling = (async () => {
    while (!isOver) {
      most = Math.max(most, await used());
      await setTimeout(200);
    }
  })();
  return {
    async collected() {
      await session.send("HeapProfiler.collectGarbage");
      return used();
    },
    async stop() {
      isOver = true;
      await sampling;
      return most;
    },
  };
}

test("a hundred thousand messages to a handler that awaits 5 ms all arrive in order, in a bounded memory of the sender", {
  timeout: 120_000,
}, async () => {
  const receiver = await browser.open(
    page(`
      let [next, running, most] = [0, 0, 0];
      client.module("Save", async ({ request }) => {
        if (request !== next++) console.log("out of order", request);
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running--;
        if (next === ${count} && running === 0) console.log("handled all, at most", most, "at once");
      });`),
    { isolated: true },
  );
  const id = (await receiver.waitForLine(/signed in as/)).split(" ").at(-1);
  const sender = await browser.open(
    page(`
      client.on("peerconnect", async ({ id }) => {
        if (id !== ${JSON.stringify(id)}) return;
        await new Promise((resolve) => (globalThis.start = resolve));
        const target = client.get({ peers: [id] });
        for (let number = 0; number < ${count}; number++) target.message("Save", number);
        console.log("sent");
      });`),
    { isolated: true },
  );
  await sender.page.waitForFunction(() => "start" in globalThis);
  const heap = await measureHeap(sender);
  const before = await heap.collected();
  await sender.page.evaluate("start()");
  const line = await Promise.race([receiver.waitForLine(/handled all|error/i), sender.waitForLine(/error/i)]);
  // The window: the receiver's memory is bounded as well.
  expect(Number(/at most (\d+)/.exec(line)?.[1])).toBeLessThanOrEqual(1_024);
  expect(receiver.lines.filter((line) => /out of order|error/.test(line))).toEqual([]);
  expect(sender.lines.filter((line) => line.startsWith("error"))).toEqual([]);
  const [most, after] = [await heap.stop(), await heap.collected()];
  console.log(`The sender's heap in MB: ${[before, most, after].map((bytes) => (bytes / 1e6).toFixed(1)).join(", ")}.`);
  // All messages wait at first, about 1 KB each. Nothing of them stays.
  expect(most - before).toBeLessThan(count * 2_000);
  expect(after - before).toBeLessThan(10_000_000);
});
