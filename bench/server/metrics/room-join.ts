import { type Client, closeAll, connect, mapConcurrently, waitUntil } from "../clients.ts";
import { type ServerUnderTest, startServerUnderTest, unlimited } from "../server-under-test.ts";
import { withSqlite } from "../stores.ts";
import type { ServerMetric } from "./metric.ts";

const size = 100;
const otherGuests = 4_000;
const guestsOfOtherRoom = 10;
const joins = 40;

/** What one join of a full room costs the server, which tells everybody else in it. Other rooms must not make it dearer. */
export const roomJoin: ServerMetric = {
  name: "room-join",
  title: `One join of a room of ${size}, told to ${size - 1}: processor time of the server, beside ${otherGuests} guests of other rooms`,
  unit: "ms",
  goal: { atMost: 5 },
  measure: () =>
    withSqlite(0, 0, async (store) => {
      const target = await startServerUnderTest("bonevalue", { store, rooms: true, limits: unlimited });
      const room = await enterAll(target, size - 1, () => "full");
      const alone = await costOfJoin(target, room);
      const before = await target.memory();
      const others = await enterAll(target, otherGuests, (at) => `other ${Math.floor(at / guestsOfOtherRoom)}`);
      const after = await target.memory();
      const bonevalue = await costOfJoin(target, room);
      await closeAll([...room, ...others]);
      await target.kill();
      return {
        bonevalue,
        notes: {
          "without other rooms, ms": alone,
          "memory of a guest, KiB": (after.used - before.used) / otherGuests / 1_024,
        },
      };
    }),
};

function enterAll(target: ServerUnderTest, count: number, roomOf: (at: number) => string): Promise<Client[]> {
  const guests = Array.from({ length: count }, (_, at) => ({ room: roomOf(at), name: `Guest ${at}` }));
  return mapConcurrently(guests, 32, (guest) => connect(target, guest));
}

/** Median of several joins, each by a new guest who leaves afterwards. */
async function costOfJoin(target: ServerUnderTest, room: readonly Client[]): Promise<number> {
  const costs: number[] = [];
  for (let at = 0; at < joins; at++) {
    const before = await target.processorTime();
    const late = await connect(target, { room: "full", name: "Late" });
    await waitUntil(() => room.every(({ peers }) => peers.has(late.id)));
    costs.push((await target.processorTime()) - before);
    late.socket.send(JSON.stringify({ type: "bye", data: {} }));
    await waitUntil(() => room.every(({ peers }) => !peers.has(late.id)));
  }
  return costs.sort((a, b) => a - b)[joins / 2]!;
}
