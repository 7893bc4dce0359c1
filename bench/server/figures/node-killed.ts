import { withEngines } from "../places.ts";
import { comeBack, connect, dismiss, until } from "../swarm.ts";
import { startTarget } from "../target.ts";
import type { Figure } from "./figure.ts";

/** Of two nodes one dies: half of its clients come back on the other, the others do not. */
export const nodeKilled: Figure = {
  name: "node-killed",
  title: "Node killed with -9: its peers announced gone",
  unit: "s",
  goal: { atMost: 20 },
  measure: () =>
    withEngines(50, 3, async (store, redis, groups) => {
      const options = { store, cluster: redis.url };
      const stays = await startTarget("bonevalue", options);
      const dies = await startTarget("bonevalue", options);
      const watchers = await Promise.all(groups.map((group) => connect(stays, group[0]!)));
      await Promise.all(groups.flatMap((group) => group.slice(1).map((person) => connect(dies, person))));
      await until(() => watchers.every(({ peers }) => peers.size === 2));
      const began = performance.now();
      await dies.kill();
      const back = await Promise.all(groups.map((group) => comeBack(stays, group[1]!)));
      const allBack = performance.now() - began;
      await until(() => watchers.every(({ peers }) => peers.size === 1));
      const gone = performance.now() - began;
      const kept = watchers.filter(({ peers }, at) => peers.has(groups[at]![1]!.id)).length;
      await dismiss([...watchers, ...back]);
      await stays.kill();
      const notes = {
        "its clients back on the other after, s": allBack / 1_000,
        "watchers that kept who came back": kept,
      };
      return { bonevalue: gone / 1_000, notes };
    }),
};
