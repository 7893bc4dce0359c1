import type { CDPSession } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type TestBrowser } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { type SignedInTab, signIn, waitForEachOther } from "./signed-in-tab.ts";

declare global {
  interface Window {
    /** The number of created connections, and of those that are not closed. */
    connections: { created: number; open(): number };
  }
}

let browser: TestBrowser;
let server: ServerProcess;
const ann = { username: "ann", password: "test password" };

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), startServer({ accounts: { ann: "test password" } })]);
});

afterAll(() => Promise.all([browser.close(), server.stop()]));

function countConnections({ browserTab }: SignedInTab): Promise<void> {
  return browserTab.page.evaluate(() => {
    const made: RTCPeerConnection[] = [];
    window.connections = {
      created: 0,
      open: () => made.filter(({ signalingState }) => signalingState !== "closed").length,
    };
    globalThis.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        window.connections.created++;
        // Drops closed connections, so that counting does not keep them in memory.
        for (const old of made.splice(0)) if (old.signalingState !== "closed") made.push(old);
        made.push(this);
      }
    };
  });
}

test("connecting and disconnecting in quick succession leaves one tab and no link", async () => {
  const [a, b] = [await signIn(browser, server.url, ann), await signIn(browser, server.url, ann)];
  await waitForEachOther([a, b]);
  await countConnections(b);
  await b.call("Us");
  const id = await b.browserTab.page.evaluate(
    async ([host, who]) => {
      for (let round = 0; round < 10; round++) {
        $BV.disconnect();
        $BV.connect(host, who).catch(() => {});
      }
      await $BV.connect(host, who);
      return $BV.getId();
    },
    [server.url, ann] as const,
  );
  await a.browserTab.waitForLine(`peerconnect Us ${id}`);
  await a.waitForPeerGone(b);
  expect(await a.call("Us")).toEqual([`Us ${id} Not Friday`]);
  expect(await a.peers()).toEqual([`Us ${id}`]);
  expect(await b.browserTab.page.evaluate(() => window.connections.open())).toBe(1);
  await Promise.all([a.browserTab.close(), b.browserTab.close()]);
});

/** Counts the page's listeners, and its objects, functions and arrays, after a garbage collection. */
async function countLive(cdp: CDPSession): Promise<{ listeners: number; objects: number }> {
  await cdp.send("Runtime.discardConsoleEntries");
  for (let round = 0; round < 3; round++) await cdp.send("HeapProfiler.collectGarbage");
  const { metrics } = await cdp.send("Performance.getMetrics");
  const listeners = metrics.find(({ name }) => name === "JSEventListeners")?.value ?? Number.NaN;
  return { listeners, objects: await objectsIn(cdp) };
}

/** Counts objects in a heap snapshot. The heap's size would include compiled code. */
async function objectsIn(cdp: CDPSession): Promise<number> {
  let text = "";
  const take = ({ chunk }: { chunk: string }) => {
    text += chunk;
  };
  cdp.on("HeapProfiler.addHeapSnapshotChunk", take);
  await cdp.send("HeapProfiler.takeHeapSnapshot");
  cdp.off("HeapProfiler.addHeapSnapshotChunk", take);
  const { snapshot, nodes } = JSON.parse(text) as HeapSnapshot;
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const kinds = ["object", "closure", "array"].map((kind) => types[0].indexOf(kind));
  return nodes.filter((value, place) => place % fields.length === 0 && kinds.includes(value)).length;
}

/** The used part of a snapshot. Each node has as many numbers as there are fields; the first is its type. */
interface HeapSnapshot {
  readonly snapshot: {
    readonly meta: { readonly node_fields: readonly string[]; readonly node_types: readonly [readonly string[]] };
  };
  readonly nodes: readonly number[];
}

/** Opens a link for a call and closes it by signing out, `count` times. */
function openAndClose({ browserTab }: SignedInTab, count: number): Promise<void> {
  return browserTab.page.evaluate(
    async ([host, who, count]) => {
      for (let cycle = 0; cycle < count; cycle++) {
        await $BV.connect(host, who);
        await $BV.get("Us").call("My.Echo.Module", { text: "Friday" }).first();
        await $BV.disconnect();
      }
    },
    [server.url, ann, count] as const,
  );
}

test("two hundred links leak nothing", async () => {
  const [a, b] = [await signIn(browser, server.url, ann), await signIn(browser, server.url, ann)];
  await waitForEachOther([a, b]);
  await Promise.all([countConnections(a), countConnections(b)]);
  const cdp = await a.browserTab.page.context().newCDPSession(a.browserTab.page);
  await cdp.send("Performance.enable");
  await a.browserTab.page.evaluate(() => $BV.disconnect());
  await openAndClose(a, 20);
  const before = await countLive(cdp);
  await openAndClose(a, 200);
  const after = await countLive(cdp);

  expect(await a.browserTab.page.evaluate(() => [window.connections.created, window.connections.open()])).toEqual([
    220, 0,
  ]);
  await b.browserTab.page.waitForFunction(() => window.connections.open() === 0);
  expect(after.listeners).toBeLessThanOrEqual(before.listeners);
  // A leaked link would add dozens of objects.
  expect(after.objects - before.objects).toBeLessThan(100);
  await Promise.all([a.browserTab.close(), b.browserTab.close()]);
}, 120_000);
