import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { launch, type Stage } from "../../tools/e2e.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { haveMet, type Login, signIn } from "./login.ts";

declare global {
  interface Window {
    connection?: RTCPeerConnection;
  }
}

let stage: Stage;
let folder: string;
let server: ServerProcess;
const ann = { username: "ann", password: "test" };
// Nobody who is still leaving after another test is among their other logins.
const ben = { username: "ben", password: "test" };

const calls = 50;
// 100 MB
const chunks = 1_600;
const size = 62_500;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bonevalue-outage-"));
  const options = { store: join(folder, "store.sqlite") };
  [stage, server] = await Promise.all([launch(), startServer({ accounts: { ann: "test", ben: "test" }, options })]);
});

afterAll(async () => {
  await Promise.all([stage.close(), server.stop()]);
  await rm(folder, { recursive: true });
});

/** Kills the server; the undo starts it anew on the same store and port. */
async function kill(): Promise<() => Promise<void>> {
  await server.kill();
  return async () => {
    server = await startServer({
      options: { store: join(folder, "store.sqlite"), port: Number(new URL(server.url).port) },
    });
  };
}

/** Offers a module that answers all its callers when told to, and one that streams chunks whose bytes tell their place. */
function offer({ tab }: Login): Promise<void> {
  return tab.page.evaluate(
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

/** Reads the whole stream of `peer`, and says what it had read at the loss of the server. */
function readFlood({ tab }: Login, peer: Login): Promise<{ wrong: number; bytes: number; atLoss: number }> {
  return tab.page.evaluate(async (id) => {
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

/** Calls 50 times at once; the answers, without repetition. */
function callOften({ tab }: Login, peer: Login): Promise<readonly string[]> {
  return tab.page.evaluate(
    async ([id, calls]) => {
      const replies = Array.from({ length: calls }, () => $BV.get(id).call("Wait").first());
      return [...new Set(await Promise.all(replies))] as string[];
    },
    [peer.id, calls] as const,
  );
}

function isOnline({ tab }: Login): Promise<unknown> {
  return tab.page.waitForFunction(() => $BV.status.peek() === "online");
}

test("a server that is killed takes nothing with it, and everybody is back under the old id", async () => {
  const [a, b, c] = [
    await signIn(stage, server.url, ann),
    await signIn(stage, server.url, ann),
    await signIn(stage, server.url, ann),
  ];
  const everybody = [a, b, c];
  await haveMet(everybody);
  await offer(b);
  const answers = callOften(a, b);
  const flood = readFlood(a, b);
  await a.tab.says("the stream flows");

  const startAgain = await kill();
  await Promise.all(everybody.map(({ tab }) => tab.says(/^disconnect$/)));
  expect(await a.tab.page.evaluate((id) => $BV.get(id).call("Release").first(), b.id)).toBe(calls);
  expect(await answers).toEqual(["done"]);
  const { atLoss, ...read } = await flood;
  expect(read).toEqual({ wrong: 0, bytes: chunks * size });
  expect(atLoss).toBeGreaterThan(0);
  expect(atLoss).toBeLessThan(chunks * size);

  await startAgain();
  await Promise.all(everybody.map(isOnline));
  expect(await Promise.all(everybody.map(({ tab }) => tab.page.evaluate(() => $BV.getId())))).toEqual(
    everybody.map(({ id }) => id),
  );
  // Who had no link with whom before must find the way through the new server.
  expect(await c.call("Us")).toEqual([a, b].map(({ id }) => `Us ${id} Not Friday`).sort());
  for (const login of everybody) {
    expect(login.tab.lines.filter((line) => line.startsWith("peerdisconnect"))).toEqual([]);
    expect(await login.peers()).toEqual(
      everybody
        .filter((other) => other !== login)
        .map(({ id }) => `Us ${id}`)
        .sort(),
    );
  }
  await Promise.all(everybody.map(({ tab }) => tab.close()));
}, 120_000);

/** Has the link take its path for broken, restart ICE, and recover; its ICE names before and after. */
function restartIce({ tab }: Login): Promise<readonly (string | undefined)[]> {
  return tab.page.evaluate(async () => {
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

test("a link restarts ICE while the server is away", async () => {
  const [a, b] = [await signIn(stage, server.url, ben), await signIn(stage, server.url, ben)];
  await haveMet([a, b]);
  await a.tab.page.evaluate(() => {
    globalThis.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        window.connection = this;
      }
    };
  });
  await a.call("Us");
  onTestFinished(await kill());
  await Promise.all([a, b].map(({ tab }) => tab.says(/^disconnect$/)));
  const [before, after] = await restartIce(a);
  expect(after).not.toBe(before);
  const state = await a.tab.page.evaluate((id) => $BV.link(id).peek().status, b.id);
  expect(state).toBe("open");
  expect(await b.call("Us")).toEqual([`Us ${a.id} Not Friday`]);
  await Promise.all([a.tab.close(), b.tab.close()]);
});

test("a page is told what it can do", async () => {
  const { tab } = await signIn(stage, server.url, ann);
  const [diagnosis, text] = await tab.page.evaluate(async () => {
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
    errors: [],
  });
  expect(text).toContain("relay candidates: no (configure a TURN server");
  await tab.close();
});
