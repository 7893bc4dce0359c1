import * as fc from "fast-check";
import { expect, test } from "vitest";
import { anything, count, listOf, object, optional, text } from "./checks.ts";

test("an object is taken by the fields that are spoken of, whatever else it has", () => {
  const check = object<{ name: string; age?: number }>({ name: text(3), age: optional(count(0)) });
  for (const good of [{ name: "ann" }, { name: "bob", age: 0 }, { name: "", age: undefined, more: true }])
    expect(check(good)).toBe(true);
  for (const bad of [
    undefined,
    null,
    "ann",
    {},
    { name: "anna" },
    { name: "ann", age: -1 },
    { name: "ann", age: null },
  ])
    expect(check(bad)).toBe(false);
});

test("a list is taken by every one of its items", () => {
  const check = listOf(listOf(text()));
  expect([[], [[]], [["a"], ["b", "c"]]].every(check)).toBe(true);
  expect([undefined, "a", ["a"], [["a"], [1]], { length: 0 }].some(check)).toBe(false);
});

test("no value makes a check throw", () => {
  const check = object({ list: listOf(object({ any: anything, id: count(1) })), name: optional(text()) });
  fc.assert(fc.property(fc.anything({ withNullPrototype: true }), (value) => typeof check(value) === "boolean"));
});
