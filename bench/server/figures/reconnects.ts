import { withFile } from "../places.ts";
import { comeBack, connect, dismiss, each } from "../swarm.ts";
import { startTarget, unlimited } from "../target.ts";
import type { Figure } from "./figure.ts";

const clients = 10_000;
const size = 4;

/** A server that is killed and started again, and everybody at once at its door. */
export const reconnects: Figure = {
  name: "reconnects",
  title: `${clients} clients reconnecting at once after a kill -9, until all are back and their lists right`,
  unit: "s",
  goal: { atMost: 10 },
  measure: () =>
    withFile(clients / size, size, async (store, groups) => {
      const first = await startTarget("bonevalue", { store });
      const port = Number(new URL(first.url).port);
      await each(groups.flat(), 64, (person) => connect(first, person));
      await first.kill();
      const again = await startTarget("bonevalue", { store, port, limits: unlimited });
      const began = performance.now();
      const back = await Promise.all(groups.flat().map((person) => comeBack(again, person)));
      const allBack = performance.now() - began;
      const peers = new Map(back.map((client) => [client.id, client.peers]));
      const wrong = () => groups.flatMap((group) => group.filter(({ id }) => peers.get(id)?.size !== size - 1)).length;
      while (wrong() > 0 && performance.now() - began < 60_000) await new Promise((resolve) => setTimeout(resolve, 10));
      const right = performance.now() - began;
      const notes = { "all back after, s": allBack / 1_000, "wrong lists": wrong() };
      await dismiss(back);
      await again.kill();
      return { bonevalue: right / 1_000, notes };
    }),
};
