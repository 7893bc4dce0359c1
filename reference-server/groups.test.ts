import { expect, test } from "vitest";
import { fc } from "../tools/property.ts";
import { accountGroup, assignedRoomGroup, roomGroup } from "./groups.ts";

const kinds = { accountGroup, roomGroup, assignedRoomGroup };
const part = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 4 }),
  fc.constantFrom("", "a", "ann", ":", "a:", ":a", "a:b", "%3A", "r:", "__proto__"),
);
const place = fc.tuple(fc.constantFrom(...(Object.keys(kinds) as (keyof typeof kinds)[])), part, part);

test("no two accounts, rooms or apps share a group", () => {
  fc.assert(
    fc.property(place, place, (one, other) => {
      const [first, second] = [one, other].map(([kind, app, name]) => kinds[kind](app, name));
      expect(first === second).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
  );
});

test("the group of a room does not contain its name", () => {
  expect(roomGroup("todo", "a secret name")).toMatch(/^r:todo:[\w-]{43}$/);
});
