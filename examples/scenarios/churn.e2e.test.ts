import type { CDPSession } from "playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, type Stage } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { haveMet, type Login, signIn } from "./login.ts";

declare global {
  interface Window {
    /** How many connections were made, and those that are not closed. */
    connections: { made: number; open(): number };
  }
}

let stage: Stage;
let server: ServerProcess;
const ann = { username: "ann", password: "test" };

beforeAll(async () => {
  [stage, server] = await Promise.all([launch(), startServer({ accounts: { ann: "test" } })]);
});

afterAll(() => Promise.all([stage.close(), server.stop()]));

function countConnections({ tab }: Login): Promise<void> {
  return tab.page.evaluate(() => {
    const made: RTCPeerConnection[] = [];
    window.connections = {
      made: 0,
      open: () => made.filter(({ signalingState }) => signalingState !== "closed").length,
    };
    globalThis.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        window.connections.made++;
        // What is closed must not be kept alive by its being counted.
        for (const old of made.splice(0)) if (old.signalingState !== "closed") made.push(old);
        made.push(this);
      }
    };
  });
}

test("connecting and disconnecting in quick succession leaves one login and no link", async () => {
  const [a, b] = [await signIn(stage, server.url, ann), await signIn(stage, server.url, ann)];
  await haveMet([a, b]);
  await countConnections(b);
  await b.call("Us");
  const id = await b.tab.page.evaluate(
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
  await a.tab.says(`peerconnect Us ${id}`);
  await a.misses(b);
  expect(await a.call("Us")).toEqual([`Us ${id} Not Friday`]);
  expect(await a.peers()).toEqual([`Us ${id}`]);
  expect(await b.tab.page.evaluate(() => window.connections.open())).toBe(1);
  await Promise.all([a.tab.close(), b.tab.close()]);
});

/** What of a page's own is alive after a collection: listeners, and objects, functions and arrays. */
async function held(cdp: CDPSession): Promise<{ listeners: number; objects: number }> {
  await cdp.send("Runtime.discardConsoleEntries");
  for (let round = 0; round < 3; round++) await cdp.send("HeapProfiler.collectGarbage");
  const { metrics } = await cdp.send("Performance.getMetrics");
  const listeners = metrics.find(({ name }) => name === "JSEventListeners")?.value ?? Number.NaN;
  return { listeners, objects: await objectsIn(cdp) };
}

/** The heap's size would count what the engine compiles meanwhile, too. */
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

/** As far as it is read here. A node is as many numbers as there are fields, the first of which is its type. */
interface HeapSnapshot {
  readonly snapshot: {
    readonly meta: { readonly node_fields: readonly string[]; readonly node_types: readonly [readonly string[]] };
  };
  readonly nodes: readonly number[];
}

/** Opens a link for a call and closes it by signing out, `count` times. */
function openAndClose({ tab }: Login, count: number): Promise<void> {
  return tab.page.evaluate(
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

test("two hundred links leave nothing behind", async () => {
  const [a, b] = [await signIn(stage, server.url, ann), await signIn(stage, server.url, ann)];
  await haveMet([a, b]);
  await Promise.all([countConnections(a), countConnections(b)]);
  const cdp = await a.tab.page.context().newCDPSession(a.tab.page);
  await cdp.send("Performance.enable");
  await a.tab.page.evaluate(() => $BV.disconnect());
  await openAndClose(a, 20);
  const before = await held(cdp);
  await openAndClose(a, 200);
  const after = await held(cdp);

  expect(await a.tab.page.evaluate(() => [window.connections.made, window.connections.open()])).toEqual([220, 0]);
  await b.tab.page.waitForFunction(() => window.connections.open() === 0);
  expect(after.listeners).toBeLessThanOrEqual(before.listeners);
  // A link that were kept would be dozens of them.
  expect(after.objects - before.objects).toBeLessThan(100);
  await Promise.all([a.tab.close(), b.tab.close()]);
}, 120_000);
