import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { missingPrograms } from "../../tools/ensure.ts";
import { createLossyNetwork, findLossyNetworkProblem } from "../../tools/lossy-network.ts";
import { startServer } from "../../tools/server-process.ts";
import { skipAll } from "../../tools/skip-all.ts";
import { chromiumPeer } from "./testing/e2e/peers.ts";

const trouble = findLossyNetworkProblem() ?? missingPrograms("chromium");
const library = fileURLToPath(new URL("../../dist/global.js", import.meta.url));

describe("on a cable of 50 ms that loses packets", () => {
  skipAll(trouble);

  test("ten links in a row come up, one packet in fifty being lost each way", { timeout: 60_000 }, async () => {
    const { ends, address: host, remove } = await createLossyNetwork({ latency: 25, loss: 0.02, seed: 1 });
    onTestFinished(remove);
    const server = await startServer({
      accounts: { ann: "test-password" },
      options: { host, insecure: true },
      enter: ends[0].enter,
    });
    onTestFinished(server.stop);
    const [near, far] = await Promise.all([chromiumPeer(ends[0], library), chromiumPeer(ends[1], library)]);
    onTestFinished(async () => {
      await near.close();
      await far.close();
    });
    const id = await near.connect(server.url, "ann", "test-password");
    for (let link = 0; link < 10; link++) {
      await far.connect(server.url, "ann", "test-password");
      expect(await far.call(id, "Hello")).toEqual({ reply: "Hello", path: "direct" });
      await far.disconnect();
    }
  });
});
