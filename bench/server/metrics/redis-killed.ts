import { closeAll, connect, sleep, waitUntil } from "../clients.ts";
import { startServerUnderTest } from "../server-under-test.ts";
import { withPostgresAndRedis } from "../stores.ts";
import type { ServerMetric } from "./metric.ts";

const gap = 1_500;

/** The engine forgets everything, while users come and go. */
export const redisKilled: ServerMetric = {
  name: "redis-killed",
  title: `Redis killed and back empty after ${gap / 1_000} s: lists right after`,
  unit: "s",
  goal: { atMost: 5 },
  measure: () =>
    withPostgresAndRedis(50, 4, async (store, redis, groups) => {
      const options = { store, cluster: redis.url, limits: { grace: 500 } };
      const nodes = [
        await startServerUnderTest("bonevalue", options),
        await startServerUnderTest("bonevalue", options),
      ];
      const stay = await Promise.all(
        groups.flatMap((group) => [connect(nodes[0]!, group[0]!), connect(nodes[1]!, group[1]!)]),
      );
      const leave = await Promise.all(groups.map((group) => connect(nodes[1]!, group[2]!)));
      await waitUntil(() => stay.every(({ peers }) => peers.size === 2));
      let dropped = 0;
      for (const { socket } of stay) socket.on("close", () => dropped++);
      await redis.kill();
      await closeAll(leave);
      const come = await Promise.all(groups.map((group) => connect(nodes[0]!, group[3]!)));
      await sleep(gap);
      await redis.start();
      const began = performance.now();
      const should = (at: number) => {
        const group = groups[at >> 1]!;
        return [group[1 - (at & 1)]!.id, group[3]!.id];
      };
      const isRight = ({ peers }: (typeof stay)[number], at: number) =>
        peers.size === 2 && should(at).every((id) => peers.has(id));
      await waitUntil(() => stay.every(isRight));
      const right = performance.now() - began;
      const notes = { "sockets dropped": dropped };
      await closeAll([...stay, ...come]);
      for (const node of nodes) await node.kill();
      return { bonevalue: right / 1_000, notes };
    }),
};
