import type { Kind } from "../child.ts";
import { withFile } from "../places.ts";
import { connect, dismiss, each } from "../swarm.ts";
import { startTarget } from "../target.ts";
import type { Figure } from "./figure.ts";

const connections = 4_000;
const kinds: readonly Kind[] = ["bonevalue", "bare", "PeerJS"];

/** What a signed-in connection costs while it says nothing. */
export const idleMemory: Figure = {
  name: "idle-memory",
  title: "Idle memory for each signed-in connection",
  unit: "KiB",
  goal: { atMost: 20 },
  measure: () =>
    withFile(connections / 4, 4, async (store, groups) => {
      const found: Partial<Record<Kind, number>> = {};
      for (const kind of kinds) {
        const target = await startTarget(kind, { store });
        const people = groups.flat();
        const warm = await each(people.slice(0, 400), 32, (person) => connect(target, person));
        const before = await target.memory();
        const clients = await each(people.slice(400), 32, (person) => connect(target, person));
        const after = await target.memory();
        found[kind] = (after.used - before.used) / clients.length / 1_024;
        await dismiss([...warm, ...clients]);
        await target.kill();
      }
      return found;
    }),
};
