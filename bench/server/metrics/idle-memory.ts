import type { ServerKind } from "../child.ts";
import { closeAll, connect, mapConcurrently } from "../clients.ts";
import { startServerUnderTest } from "../server-under-test.ts";
import { withSqlite } from "../stores.ts";
import type { ServerMetric } from "./metric.ts";

const connections = 4_000;
const kinds: readonly ServerKind[] = ["bonevalue", "bare", "PeerJS"];

/** What a signed-in connection costs while it says nothing. */
export const idleMemory: ServerMetric = {
  name: "idle-memory",
  title: "Idle memory for each signed-in connection",
  unit: "KiB",
  goal: { atMost: 20 },
  measure: () =>
    withSqlite(connections / 4, 4, async (store, groups) => {
      const found: Partial<Record<ServerKind, number>> = {};
      for (const kind of kinds) {
        const target = await startServerUnderTest(kind, { store });
        const users = groups.flat();
        const warm = await mapConcurrently(users.slice(0, 400), 32, (user) => connect(target, user));
        const before = await target.memory();
        const clients = await mapConcurrently(users.slice(400), 32, (user) => connect(target, user));
        const after = await target.memory();
        found[kind] = (after.used - before.used) / clients.length / 1_024;
        await closeAll([...warm, ...clients]);
        await target.kill();
      }
      return found;
    }),
};
