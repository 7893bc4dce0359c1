import { fileURLToPath } from "node:url";
import { startChromium } from "../../core/transport/testing/e2e/peers.ts";
import { missingPrograms } from "../../tools/ensure.ts";
import { createNatNetwork, findNatProblem } from "../../tools/nat-network.ts";
import { startServer } from "../../tools/server-process.ts";
import { median } from "../statistics.ts";
import { limited, type Scenario } from "./scenario.ts";

const library = fileURLToPath(new URL("../../dist/global.js", import.meta.url));
const password = "test-password";
const runs = 5;

/** Links through the discovery server where a firewall drops UDP. */
export const relayBlocked: Scenario = {
  name: "relay-blocked",
  title: `The first reply between two networks that drop UDP, without TURN, ${runs} times`,
  async run() {
    const trouble = findNatProblem() ?? missingPrograms("chromium");
    if (trouble) return [{ what: "not measured", value: trouble }];
    const network = createNatNetwork();
    network.blockUdp(true);
    const { address: host, outside, homes } = network;
    const [server, one, other] = await Promise.all([
      startServer({
        accounts: { ann: password, bob: password },
        trust: [["ann", "Bob", "bob", "Ann"]],
        options: { host, insecure: true, relay: true },
        enter: outside.enter,
      }),
      startChromium(homes[0], library),
      startChromium(homes[1], library),
    ]);
    const times: { readonly first: number; readonly next: number }[] = [];
    for (let run = 0; run < runs; run++) {
      const [ann, bob] = await Promise.all([one.open(), other.open()]);
      const bobId = await bob.connect(server.url, "bob", password);
      const replyTime = async () => {
        await ann.connect(server.url, "ann", password);
        const begun = performance.now();
        await ann.call(bobId, "Hello");
        return performance.now() - begun;
      };
      const first = await replyTime();
      await ann.disconnect();
      times.push({ first, next: await replyTime() });
      await Promise.all([ann.close(), bob.close()]);
    }
    await Promise.all([one.close(), other.close()]);
    await server.stop();
    network.remove();
    return [
      limited("the first time, median", median(times.map(({ first }) => first)), "ms", { atMost: 5_500 }),
      limited("on the next link to that peer, median", median(times.map(({ next }) => next)), "ms", { atMost: 1_500 }),
    ];
  },
};
