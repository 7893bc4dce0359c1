import { afterAll, beforeAll, expect, test } from "vitest";
import { missingPrograms } from "../../tools/ensure.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import type { InteropPeer } from "./testing/interop/peer.ts";
import { type Platform, platforms } from "./testing/interop/platforms.ts";

const mebibyte = 1_024 * 1_024;
const noFirefox = missingPrograms("firefox");
const account = ["ann", "test-password"] as const;

const paths = ["direct", "none"] as const;

/** Two peers of one platform: one that signs in anew, and so dials, in each test; and one that stays. */
interface Pair {
  readonly caller: InteropPeer;
  readonly callee: string;
}

type Pairs = Readonly<Record<(typeof paths)[number], Pair>>;

let server: ServerProcess;
const started: Platform[] = [];
const pairs = new Map<string, Pairs>();

beforeAll(async () => {
  const relay = { bytesPerSecond: 1e9, burst: 1e9 };
  server = await startServer({ accounts: { ann: "test-password" }, options: { relay } });
  for (const [name, start] of Object.entries(platforms)) {
    if (name === "Firefox" && noFirefox) continue;
    const platform = await start();
    started.push(platform);
    const pairOf = async (path: (typeof paths)[number]): Promise<Pair> => {
      const [caller, callee] = [await platform.add(path), await platform.add(path)];
      return { caller, callee: await callee.connect(server.url, ...account) };
    };
    pairs.set(name, { direct: await pairOf("direct"), none: await pairOf("none") });
  }
}, 60_000);

afterAll(async () => {
  await Promise.all(started.map((platform) => platform.close()));
  await server.stop();
});

const names = Object.keys(platforms);
const ways = names.flatMap((from) => names.map((to) => [from, to] as const));

test.for(ways)(
  "%s calls %s, sends it a stream that keeps its hash, and cancels a call",
  { timeout: 120_000 },
  async ([from, to], { skip }) => {
    skip(noFirefox !== undefined && (from === "Firefox" || to === "Firefox"), noFirefox);
    // DTLS and SCTP in JavaScript: 20 MiB take werift 3 s of a core that is its own.
    await exchange("direct", from, to, from === "werift" || to === "werift" ? 4 * mebibyte : 20 * mebibyte);
  },
);

// Without its connections, werift is what node-datachannel is.
test.for(ways.filter((way) => !way.includes("werift")))(
  "%s does so with %s through the relay of the discovery server",
  { timeout: 120_000 },
  async ([from, to], { skip }) => {
    skip(noFirefox !== undefined && (from === "Firefox" || to === "Firefox"), noFirefox);
    await exchange("none", from, to, 4 * mebibyte);
  },
);

async function exchange(path: (typeof paths)[number], from: string, to: string, size: number): Promise<void> {
  const { caller } = pairs.get(from)![path];
  const { callee } = pairs.get(to)![path];
  await caller.connect(server.url, ...account);

  expect(await caller.call(callee, `Hello from ${from}`)).toBe(`Hello from ${from}`);

  const { sent, read } = await caller.stream(callee, size);
  expect(read).toBe(sent);

  expect(await caller.cancel(callee)).toEqual({ here: "cancelled", there: "cancelled" });
}
