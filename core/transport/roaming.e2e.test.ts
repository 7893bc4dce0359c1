import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingPrograms } from "../../tools/ensure.ts";
import { findNamespaceProblem } from "../../tools/namespaces.ts";
import { createRoamingNetwork, type RoamingNetwork } from "../../tools/roaming-network.ts";
import { type ServerProcess, startServer } from "../../tools/server-process.ts";
import { skipAll } from "../../tools/skip-all.ts";
import { chromiumPeer, type RunningPeer } from "./testing/e2e/peers.ts";

const trouble = findNamespaceProblem() ?? missingPrograms("chromium");
const library = fileURLToPath(new URL("../../dist/global.js", import.meta.url));
const chunks = 400;

let network: RoamingNetwork;
let server: ServerProcess;
let peers: readonly [roaming: RunningPeer, other: RunningPeer];
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  if (trouble) return;
  network = createRoamingNetwork();
  ends.push(network.remove);
  const { address: host, outside, roaming, other } = network;
  server = await startServer({
    accounts: { ann: "test-password" },
    options: { host, insecure: true },
    enter: outside.enter,
  });
  ends.push(server.stop);
  peers = await Promise.all([chromiumPeer(roaming, library), chromiumPeer(other, library)]);
  ends.push(() => Promise.all(peers.map((peer) => peer.close())));
});

afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

/** Lets one peer dial the other and read a stream, and calls `move` in the middle of it. Returns the longest time without a chunk. */
async function gapIn(dialer: 0 | 1, move: () => unknown): Promise<number> {
  const ids = await Promise.all(peers.map((peer) => peer.connect(server.url, "ann", "test-password")));
  const [reader, other] = [peers[dialer], ids[1 - dialer]!];
  const flow = reader.flow(other, chunks);
  let failure: string | undefined;
  flow.then((flown) => {
    if ("failure" in flown) failure = flown.failure;
  });
  // A link that is dialed while the browser still believes in its last network takes a second attempt.
  await expect.poll(async () => failure ?? (await reader.flown()) > 20, { timeout: 60_000 }).toBe(true);
  await move();
  const flown = await flow;
  await Promise.all(peers.map((peer) => peer.disconnect()));
  expect(flown).toEqual({ chunks, gap: expect.any(Number) });
  return "gap" in flown ? flown.gap : Number.NaN;
}

describe("in the midst of a stream", { timeout: 120_000 }, () => {
  skipAll(trouble);

  test.each([
    ["who dialed", 0],
    ["who was dialed", 1],
  ] as const)("%s gets another address, and the stream goes on after an ICE restart", async (_, dialer) => {
    const gap = await gapIn(dialer, () => {
      network.removeOldestNetwork();
      network.addNetwork();
    });
    console.info(`The stream stood still for ${gap} ms.`);
    // The first change in a browser's life reaches its WebRTC 1 to 3 s later than others, and the dialer's is the first.
    // Without the page's word it would be nine seconds: six until ICE misses the path, and then SCTP's own timer.
    expect(gap).toBeLessThan(8_000);
  });

  // No page is told, and it takes ICE 6 s to find out.
  test.each([
    ["who dialed", 0],
    ["who was dialed", 1],
  ] as const)("%s has a second network before the first goes, and the stream goes on", async (_, dialer) => {
    const gap = await gapIn(dialer, () => {
      network.addNetwork();
      network.removeOldestNetwork();
    });
    console.info(`The stream stood still for ${gap} ms.`);
    expect(gap).toBeLessThan(15_000);
  });
});
