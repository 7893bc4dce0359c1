import { closeAll, connect, waitUntil } from "../clients.ts";
import { relayLatency } from "../latency.ts";
import { startServerUnderTest } from "../server-under-test.ts";
import { withPostgresAndRedis } from "../stores.ts";
import type { ServerMetric } from "./metric.ts";

/** A signal that goes through Redis. */
export const twoNodes: ServerMetric = {
  name: "two-nodes",
  title: "Relay across two nodes, p99",
  unit: "ms",
  goal: { atMost: 50 },
  measure: () =>
    withPostgresAndRedis(1, 2, async (store, redis, [users]) => {
      const options = { store, cluster: redis.url };
      const targets = [
        await startServerUnderTest("bonevalue", options),
        await startServerUnderTest("bonevalue", options),
      ];
      const one = await connect(targets[0]!, users![0]!);
      const two = await connect(targets[1]!, users![1]!);
      await waitUntil(() => one.peers.has(two.id));
      const p99 = await relayLatency(one, two, 10_000);
      await closeAll([one, two]);
      for (const target of targets) await target.kill();
      return { bonevalue: p99 };
    }),
};
