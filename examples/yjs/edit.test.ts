import { expect, test } from "vitest";
import { fc } from "../../tools/property.ts";
import { editBetween, movedCaret } from "./edit.ts";

test("the edit turns the old text into the new one for any texts", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 });
  fc.assert(
    fc.property(letters, letters, fc.nat(8), (before, after, place) => {
      const { at, removed, inserted } = editBetween(before, after, Math.min(place, after.length));
      expect(before.slice(0, at) + inserted + before.slice(at + removed)).toBe(after);
    }),
  );
});

test("a letter typed among equal letters is inserted at the caret", () => {
  expect(editBetween("aaa", "aaaa", 2)).toEqual({ at: 1, removed: 0, inserted: "a" });
});

test.each([
  ["insertion before the caret moves it forward", [{ insert: "xy" }], 5],
  ["insertion after the caret leaves it", [{ retain: 3 }, { insert: "xy" }], 3],
  ["deletion before the caret moves it back", [{ delete: 2 }], 1],
  ["deletion around the caret moves it to the start of the deletion", [{ retain: 2 }, { delete: 4 }], 2],
])("a remote %s", (_, delta, expected) => {
  expect(movedCaret(3, delta)).toBe(expected);
});
