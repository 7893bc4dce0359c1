import type { Kind } from "../child.ts";
import { withFile } from "../places.ts";
import { connect, dismiss, each } from "../swarm.ts";
import { startTarget } from "../target.ts";
import type { Figure } from "./figure.ts";

const friends = 10;
const groups = 300;
const kinds: readonly Kind[] = ["bonevalue", "bare", "PeerJS"];

/** New sockets that sign in by session; for the others, new sockets. */
export const signIns: Figure = {
  name: "sign-ins",
  title: `Sign-ins a second by session, with presence to ${friends} trusted users`,
  unit: "/s",
  goal: { atLeast: 1_500 },
  measure: () =>
    withFile(groups, friends + 1, async (store, people) => {
      const found: Partial<Record<Kind, number>> = {};
      for (const kind of kinds) {
        const target = await startTarget(kind, { store });
        const [warming, measured] = [people.slice(0, 50).flat(), people.slice(50).flat()];
        const warm = await each(warming, 64, (person) => connect(target, person));
        const began = performance.now();
        const clients = await each(measured, 64, (person) => connect(target, person));
        found[kind] = (clients.length * 1_000) / (performance.now() - began);
        await dismiss([...warm, ...clients]);
        await target.kill();
      }
      return found;
    }),
};
