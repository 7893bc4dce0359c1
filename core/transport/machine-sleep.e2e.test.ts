import { fileURLToPath } from "node:url";
import { describe, type TestContext, test } from "vitest";
import { missingPrograms } from "../../tools/ensure.ts";
import { findNamespaceProblem, processesIn } from "../../tools/namespaces.ts";
import { createRoamingNetwork, type RoamingNetwork } from "../../tools/roaming-network.ts";
import { startServer } from "../../tools/server-process.ts";
import { skipAll } from "../../tools/skip-all.ts";
import { chromiumPeer, type RunningPeer } from "./testing/e2e/peers.ts";

const trouble = findNamespaceProblem() ?? missingPrograms("chromium");
const library = fileURLToPath(new URL("../../dist/global.js", import.meta.url));

interface Pair {
  readonly network: RoamingNetwork;
  readonly sleeper: RunningPeer;
  /** The other one's id. */
  readonly other: string;
}

/** Two browsers on a network of their own, with an open link that the sleeper has dialed. */
async function pair({ expect, onTestFinished }: TestContext): Promise<Pair> {
  const network = createRoamingNetwork();
  onTestFinished(network.remove);
  const { address: host, outside, roaming, other } = network;
  const options = { host, insecure: true };
  const server = await startServer({ accounts: { ann: "test-password" }, options, enter: outside.enter });
  onTestFinished(server.stop);
  const peers = await Promise.all([chromiumPeer(roaming, library), chromiumPeer(other, library)]);
  onTestFinished(async () => {
    for (const peer of peers) await peer.close();
  });
  const [, id = ""] = await Promise.all(peers.map((peer) => peer.connect(server.url, "ann", "test-password")));
  await expect.poll(() => peers[0].call(id, "Hello"), { timeout: 20_000 }).toMatchObject({ reply: "Hello" });
  return { network, sleeper: peers[0], other: id };
}

/** As a machine whose lid is closed: its processes stand still, and nothing that is sent to it arrives. */
async function sleep(
  { setMuted, roaming }: RoamingNetwork,
  ms: number,
  { onTestFinished }: TestContext,
): Promise<void> {
  const processes = processesIn(roaming);
  const wake = () => {
    for (const pid of processes) process.kill(pid, "SIGCONT");
  };
  for (const pid of processes) process.kill(pid, "SIGSTOP");
  // Suspended processes cannot be closed.
  onTestFinished(wake);
  setMuted(true);
  await new Promise((resolve) => setTimeout(resolve, ms));
  setMuted(false);
  wake();
}

/** How long it takes until a call succeeds, in ms. */
async function untilAnswered({ sleeper, other }: Pair, { expect }: TestContext): Promise<number> {
  const awake = performance.now();
  await expect.poll(() => sleeper.call(other, "Awake"), { timeout: 20_000 }).toMatchObject({ reply: "Awake" });
  return Math.round(performance.now() - awake);
}

describe("a machine", () => {
  skipAll(trouble);

  test.concurrent.for([
    ["whose link was given up, though its server still knows it", 25],
    ["whom its server and all others have forgotten", 50],
  ] as const)(
    "%s, is answered within five seconds when it wakes",
    { timeout: 120_000 },
    async ([, seconds], context) => {
      const together = await pair(context);
      await sleep(together.network, seconds * 1_000, context);
      const took = await untilAnswered(together, context);
      console.info(`After ${seconds} s of sleep it took ${took} ms until a call was answered.`);
      context.expect(took).toBeLessThan(5_000);
    },
  );
});
