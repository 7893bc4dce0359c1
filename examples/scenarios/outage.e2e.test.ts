import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { launch, type TestBrowser } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { type SignedInTab, signIn, waitForEachOther } from "./signed-in-tab.ts";

declare global {
  interface Window {
    connection?: RTCPeerConnection;
  }
}

let browser: TestBrowser;
let folder: string;
let server: ServerProcess;
const ann = { username: "ann", password: "test password" };
// A separate account, so that tabs that close after another test are not among its peers.
const ben = { username: "ben", password: "test password" };

const calls = 50;
// 100 MB
const chunks = 1_600;
const size = 62_500;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bonevalue-outage-"));
  const options = { store: join(folder, "store.sqlite") };
  [browser, server] = await Promise.all([
    launch(),
    startServer({ accounts: { ann: "test password", ben: "test password" }, options }),
  ]);
});

afterAll(async () => {
  await Promise.all([browser.close(), server.stop()]);
  await rm(folder, { recursive: true });
});

/** Kills the server. The returned function restarts it with the same store and port. */
async function kill(): Promise<() => Promise<void>> {
  await server.kill();
  return async () => {
    server = await startServer({
      options: { store: join(folder, "store.sqlite"), port: Number(new URL(server.url).port) },
    });
  };
}

/** Registers a module that answers all its callers on request, and one that streams numbered chunks. */
function registerModules({ browserTab }: SignedInTab): Promise<void> {
  return browserTab.page.evaluate(
    ({ chunks, size }) => {
      const asked: ((answer: string) => void)[] = [];
      $BV.module("Wait", () => new Promise((resolve) => asked.push(resolve)));
      $BV.module("Release", () => asked.splice(0).map((answer) => answer("done")).length);
      $BV.module("Flood", async function* () {
        for (let place = 0; place < chunks; place++) yield new Uint8Array(size).fill(place);
      });
    },
    { chunks, size },
  );
}

/** Reads the whole stream of `peer`. Also returns the bytes that were read when the server was lost. */
function readFlood(
  { browserTab }: SignedInTab,
  peer: SignedInTab,
): Promise<{ wrong: number; bytes: number; atLoss: number }> {
  return browserTab.page.evaluate(async (id) => {
    const read = { wrong: 0, bytes: 0, atLoss: -1 };
    $BV.on("disconnect", () => {
      read.atLoss = read.bytes;
    });
    let place = 0;
    for await (const chunk of await $BV.get(id).call("Flood").first()) {
      if (chunk[0] !== place++ % 256) read.wrong++;
      if (read.bytes === 0) console.log("the stream flows");
      read.bytes += chunk.length;
    }
    return read;
  }, peer.id);
}

/** Makes 50 calls at once. Returns the distinct replies. */
function callRepeatedly({ browserTab }: SignedInTab, peer: SignedInTab): Promise<readonly string[]> {
  return browserTab.page.evaluate(
    async ([id, calls]) => {
      const replies = Array.from({ length: calls }, () => $BV.get(id).call("Wait").first());
      return [...new Set(await Promise.all(replies))] as string[];
    },
    [peer.id, calls] as const,
  );
}

function isOnline({ browserTab }: SignedInTab): Promise<unknown> {
  return browserTab.page.waitForFunction(() => $BV.status.peek() === "online");
}

test("calls and streams survive a killed server, and all clients reconnect with the same id", async () => {
  const [a, b, c] = [
    await signIn(browser, server.url, ann),
    await signIn(browser, server.url, ann),
    await signIn(browser, server.url, ann),
  ];
  const everybody = [a, b, c];
  await waitForEachOther(everybody);
  await registerModules(b);
  const answers = callRepeatedly(a, b);
  const flood = readFlood(a, b);
  await a.browserTab.waitForLine("the stream flows");

  const startAgain = await kill();
  await Promise.all(everybody.map(({ browserTab }) => browserTab.waitForLine(/^disconnect$/)));
  expect(await a.browserTab.page.evaluate((id) => $BV.get(id).call("Release").first(), b.id)).toBe(calls);
  expect(await answers).toEqual(["done"]);
  const { atLoss, ...read } = await flood;
  expect(read).toEqual({ wrong: 0, bytes: chunks * size });
  expect(atLoss).toBeGreaterThan(0);
  expect(atLoss).toBeLessThan(chunks * size);

  await startAgain();
  await Promise.all(everybody.map(isOnline));
  expect(await Promise.all(everybody.map(({ browserTab }) => browserTab.page.evaluate(() => $BV.getId())))).toEqual(
    everybody.map(({ id }) => id),
  );
  // Peers without a link before must connect through the restarted server.
  expect(await c.call("Us")).toEqual([a, b].map(({ id }) => `Us ${id} Not Friday`).sort());
  for (const tab of everybody) {
    expect(tab.browserTab.lines.filter((line) => line.startsWith("peerdisconnect"))).toEqual([]);
    expect(await tab.peers()).toEqual(
      everybody
        .filter((other) => other !== tab)
        .map(({ id }) => `Us ${id}`)
        .sort(),
    );
  }
  await Promise.all(everybody.map(({ browserTab }) => browserTab.close()));
}, 120_000);

/** Makes the link consider its path broken, restart ICE and recover. Returns its ICE user fragments before and after. */
function restartIce({ browserTab }: SignedInTab): Promise<readonly (string | undefined)[]> {
  return browserTab.page.evaluate(async () => {
    const pc = window.connection!;
    const name = () => /^a=ice-ufrag:(.*)$/m.exec(pc.localDescription?.sdp ?? "")?.[1];
    const pretend = (state: RTCPeerConnectionState) => {
      Object.defineProperty(pc, "connectionState", { value: state, configurable: true });
      pc.dispatchEvent(new Event("connectionstatechange"));
    };
    const before = name();
    const agreed = new Promise<void>((resolve) => {
      pc.addEventListener("signalingstatechange", () => pc.signalingState === "stable" && resolve());
    });
    pretend("disconnected");
    await agreed;
    pretend("connected");
    return [before, name()];
  });
}

test("a link restarts ICE while the server is unreachable", async () => {
  const [a, b] = [await signIn(browser, server.url, ben), await signIn(browser, server.url, ben)];
  await waitForEachOther([a, b]);
  await a.browserTab.page.evaluate(() => {
    globalThis.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        window.connection = this;
      }
    };
  });
  await a.call("Us");
  onTestFinished(await kill());
  await Promise.all([a, b].map(({ browserTab }) => browserTab.waitForLine(/^disconnect$/)));
  const [before, after] = await restartIce(a);
  expect(after).not.toBe(before);
  const state = await a.browserTab.page.evaluate((id) => $BV.link(id).peek().status, b.id);
  expect(state).toBe("open");
  expect(await b.call("Us")).toEqual([`Us ${a.id} Not Friday`]);
  await Promise.all([a.browserTab.close(), b.browserTab.close()]);
});

test("diagnose() reports the capabilities of a page", async () => {
  const { browserTab } = await signIn(browser, server.url, ann);
  const [diagnosis, text] = await browserTab.page.evaluate(async () => {
    const diagnosis = await $BV.diagnose();
    return [diagnosis, String(diagnosis)] as const;
  });
  expect(diagnosis).toEqual({
    webrtc: true,
    secureContext: true,
    server: true,
    host: true,
    srflx: false,
    relay: false,
    serverRelay: false,
    errors: [],
  });
  expect(text).toContain("no TURN server is configured");
  await browserTab.close();
});
