import { closeAll, connect, reconnect, waitUntil } from "../clients.ts";
import { startServerUnderTest } from "../server-under-test.ts";
import { withPostgresAndRedis } from "../stores.ts";
import type { ServerMetric } from "./metric.ts";

/** Of two nodes one dies: half of its clients come back on the other, the others do not. */
export const nodeKilled: ServerMetric = {
  name: "node-killed",
  title: "Node killed with -9: its peers announced gone",
  unit: "s",
  goal: { atMost: 20 },
  measure: () =>
    withPostgresAndRedis(50, 3, async (store, redis, groups) => {
      const options = { store, cluster: redis.url };
      const stays = await startServerUnderTest("bonevalue", options);
      const dies = await startServerUnderTest("bonevalue", options);
      const watchers = await Promise.all(groups.map((group) => connect(stays, group[0]!)));
      await Promise.all(groups.flatMap((group) => group.slice(1).map((user) => connect(dies, user))));
      await waitUntil(() => watchers.every(({ peers }) => peers.size === 2));
      const began = performance.now();
      await dies.kill();
      const back = await Promise.all(groups.map((group) => reconnect(stays, group[1]!)));
      const allBack = performance.now() - began;
      await waitUntil(() => watchers.every(({ peers }) => peers.size === 1));
      const gone = performance.now() - began;
      const kept = watchers.filter(({ peers }, at) => peers.has(groups[at]![1]!.id)).length;
      await closeAll([...watchers, ...back]);
      await stays.kill();
      const notes = {
        "its clients back on the other after, s": allBack / 1_000,
        "watchers that kept who came back": kept,
      };
      return { bonevalue: gone / 1_000, notes };
    }),
};
