import type { ServerKind } from "../child.ts";
import { closeAll, connect, mapConcurrently } from "../clients.ts";
import { startServerUnderTest } from "../server-under-test.ts";
import { withSqlite } from "../stores.ts";
import type { ServerMetric } from "./metric.ts";

const friends = 10;
const groups = 300;
const kinds: readonly ServerKind[] = ["bonevalue", "bare", "PeerJS"];

/** New sockets that sign in with a session. The other servers only accept sockets. */
export const signIns: ServerMetric = {
  name: "sign-ins",
  title: `Sign-ins a second by session, with presence to ${friends} trusted users`,
  unit: "/s",
  goal: { atLeast: 1_500 },
  measure: () =>
    withSqlite(groups, friends + 1, async (store, users) => {
      const found: Partial<Record<ServerKind, number>> = {};
      for (const kind of kinds) {
        const target = await startServerUnderTest(kind, { store });
        const [warming, measured] = [users.slice(0, 50).flat(), users.slice(50).flat()];
        const warm = await mapConcurrently(warming, 64, (user) => connect(target, user));
        const began = performance.now();
        const clients = await mapConcurrently(measured, 64, (user) => connect(target, user));
        found[kind] = (clients.length * 1_000) / (performance.now() - began);
        await closeAll([...warm, ...clients]);
        await target.kill();
      }
      return found;
    }),
};
