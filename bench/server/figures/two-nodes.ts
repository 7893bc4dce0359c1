import { relayLatency } from "../latency.ts";
import { withEngines } from "../places.ts";
import { connect, dismiss, until } from "../swarm.ts";
import { startTarget } from "../target.ts";
import type { Figure } from "./figure.ts";

/** A signal that goes through Redis. */
export const twoNodes: Figure = {
  name: "two-nodes",
  title: "Relay across two nodes, p99",
  unit: "ms",
  goal: { atMost: 50 },
  measure: () =>
    withEngines(1, 2, async (store, redis, [people]) => {
      const options = { store, cluster: redis.url };
      const targets = [await startTarget("bonevalue", options), await startTarget("bonevalue", options)];
      const one = await connect(targets[0]!, people![0]!);
      const two = await connect(targets[1]!, people![1]!);
      await until(() => one.peers.has(two.id));
      const p99 = await relayLatency(one, two, 10_000);
      await dismiss([one, two]);
      for (const target of targets) await target.kill();
      return { bonevalue: p99 };
    }),
};
