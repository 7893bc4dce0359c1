import { afterAll, beforeAll, expect, test } from "vitest";
import { missingPrograms } from "../../tools/ensure.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import type { InteropPeer } from "./testing/interop/peer.ts";
import { type Platform, platforms } from "./testing/interop/platforms.ts";

const mebibyte = 1_024 * 1_024;
const noFirefox = missingPrograms("firefox");
const account = ["ann", "test-password"] as const;

/** Two peers of one platform: one that signs in anew, and so dials, in each test; and one that stays. */
interface Pair {
  readonly caller: InteropPeer;
  readonly callee: string;
}

let server: ServerProcess;
const started: Platform[] = [];
const pairs = new Map<string, Pair>();

beforeAll(async () => {
  server = await startServer({ accounts: { ann: "test-password" } });
  for (const [name, start] of Object.entries(platforms)) {
    if (name === "Firefox" && noFirefox) continue;
    const platform = await start();
    started.push(platform);
    const [caller, callee] = [await platform.add(), await platform.add()];
    pairs.set(name, { caller, callee: await callee.connect(server.url, ...account) });
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
    const { caller } = pairs.get(from)!;
    const { callee } = pairs.get(to)!;
    await caller.connect(server.url, ...account);

    expect(await caller.call(callee, `Hello from ${from}`)).toBe(`Hello from ${from}`);

    // DTLS and SCTP in JavaScript: 20 MiB take werift 3 s of a core that is its own.
    const size = from === "werift" || to === "werift" ? 4 * mebibyte : 20 * mebibyte;
    const { sent, read } = await caller.stream(callee, size);
    expect(read).toBe(sent);

    expect(await caller.cancel(callee)).toEqual({ here: "cancelled", there: "cancelled" });
  },
);
