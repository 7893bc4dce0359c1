import { closeAll } from "../clients.ts";
import { costOfJoin, enterAll } from "../guests.ts";
import { startServerUnderTest } from "../server-under-test.ts";
import { withSqlite } from "../stores.ts";
import type { ServerMetric } from "./metric.ts";

const size = 100;
const otherGuests = 4_000;
const guestsOfOtherRoom = 10;

/** What one join of a full room costs the server, which tells everybody else in it. Other rooms must not make it dearer. */
export const roomJoin: ServerMetric = {
  name: "room-join",
  title: `One join of a room of ${size}, told to ${size - 1}: processor time of the server, beside ${otherGuests} guests of other rooms`,
  unit: "ms",
  goal: { atMost: 5 },
  measure: () =>
    withSqlite(0, 0, async (store) => {
      const target = await startServerUnderTest("bonevalue", { store, rooms: true });
      const room = await enterAll([target], size - 1, () => "full");
      const alone = await costOfJoin([target], "full", room);
      const others = await enterAll([target], otherGuests, (at) => `other ${Math.floor(at / guestsOfOtherRoom)}`);
      const bonevalue = await costOfJoin([target], "full", room);
      await closeAll([...room, ...others]);
      await target.kill();
      return { bonevalue, notes: { "without other rooms, ms": alone } };
    }),
};
