import { expect, test } from "vitest";
import { fc } from "../../tools/property.ts";
import { editBetween, movedCaret } from "./edit.ts";

test("whatever was typed, the edit makes the new text of the old one", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 });
  fc.assert(
    fc.property(letters, letters, fc.nat(8), (before, after, place) => {
      const { at, removed, inserted } = editBetween(before, after, Math.min(place, after.length));
      expect(before.slice(0, at) + inserted + before.slice(at + removed)).toBe(after);
    }),
  );
});

test("a letter typed among its like goes in where the caret was", () => {
  expect(editBetween("aaa", "aaaa", 2)).toEqual({ at: 1, removed: 0, inserted: "a" });
});

test.each([
  ["before it moves it along", [{ insert: "xy" }], 5],
  ["behind it leaves it", [{ retain: 3 }, { insert: "xy" }], 3],
  ["of letters before it moves it back", [{ delete: 2 }], 1],
  ["of letters around it puts it where they were", [{ retain: 2 }, { delete: 4 }], 2],
])("somebody's change %s", (_, delta, expected) => {
  expect(movedCaret(3, delta)).toBe(expected);
});
