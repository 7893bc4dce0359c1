import { closeAll } from "../clients.ts";
import { costOfJoin, enterAll } from "../guests.ts";
import { type ServerUnderTest, startServerUnderTest } from "../server-under-test.ts";
import { withPostgresAndRedis } from "../stores.ts";
import type { ServerMetric } from "./metric.ts";

const guests = 10_000;
const rooms = 1_000;
const guestsOfRoom = guests / rooms;

/** What an idle guest costs the nodes of a cluster. */
export const clusterRoomMemory: ServerMetric = {
  name: "cluster-room-memory",
  title: `${guests} guests in ${rooms} rooms on two nodes: idle memory for each`,
  unit: "KiB",
  goal: { atMost: 20 },
  measure: () =>
    withTwoNodes(async (nodes) => {
      // What the first guests load and allocate is not theirs.
      const warm = await enterAll(nodes, 400, (at) => `warm ${Math.floor(at / guestsOfRoom)}`);
      const before = await usedMemory(nodes);
      const clients = await enterAll(nodes, guests, roomAt);
      const bonevalue = ((await usedMemory(nodes)) - before) / guests / 1_024;
      await closeAll([...warm, ...clients]);
      return { bonevalue };
    }),
};

/** What one join costs beside many other rooms, against the same join without them. */
export const clusterRoomJoin: ServerMetric = {
  name: "cluster-room-join",
  title: `One join of a room of ${guestsOfRoom} on two nodes: processor time of both beside ${guests} guests of other rooms, against the same without these`,
  unit: "",
  goal: { atMost: 1.5 },
  measure: () =>
    withTwoNodes(async (nodes) => {
      const room = await enterAll(nodes, guestsOfRoom - 1, () => "mine");
      // The first joins run code that is not optimized yet.
      await costOfJoin(nodes, "mine", room);
      const alone = await costOfJoin(nodes, "mine", room);
      const others = await enterAll(nodes, guests, roomAt);
      const beside = await costOfJoin(nodes, "mine", room);
      await closeAll([...room, ...others]);
      return { bonevalue: beside / alone, notes: { "beside the others, ms": beside, "without them, ms": alone } };
    }),
};

/** Each room has guests on both nodes, since the nodes take turns. */
function roomAt(at: number): string {
  return `room ${Math.floor(at / guestsOfRoom)}`;
}

function withTwoNodes<Result>(work: (nodes: readonly ServerUnderTest[]) => Promise<Result>): Promise<Result> {
  return withPostgresAndRedis(0, 0, async (store, redis) => {
    const options = { store, cluster: redis.url, rooms: true };
    const nodes = [await startServerUnderTest("bonevalue", options), await startServerUnderTest("bonevalue", options)];
    const result = await work(nodes);
    await Promise.all(nodes.map((node) => node.kill()));
    return result;
  });
}

async function usedMemory(nodes: readonly ServerUnderTest[]): Promise<number> {
  const all = await Promise.all(nodes.map((node) => node.memory()));
  return all.reduce((sum, { used }) => sum + used, 0);
}
