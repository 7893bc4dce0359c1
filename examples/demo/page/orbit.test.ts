import { expect, test } from "vitest";
import { orbit } from "./orbit.ts";

const circle = { x: 100, y: 100 };
const round = (groups: readonly (readonly string[])[], extent = circle) =>
  [...orbit(groups, extent)].map(([id, { angle, reach }]) => [id, Math.round(angle), Math.round(reach)]);

test("two users with one peer each stand opposite each other", () => {
  expect(round([["a"], ["b"]])).toEqual([
    ["a", 180, 100],
    ["b", 360, 100],
  ]);
});

test("peers of one user stand closer together than peers of two", () => {
  const [a, b, c] = [...orbit([["a", "b"], ["c"]], circle).values()].map(({ angle }) => angle);
  expect(b! - a!).toBeLessThan(c! - b!);
});

test("a user without peers takes no room", () => {
  expect(round([["a"], [], ["b"]])).toEqual(round([["a"], ["b"]]));
});

test("in a wide box they stand farther out at the sides than above", () => {
  const extent = { x: 200, y: 100 };
  const places = orbit([["a", "b", "c", "d"]], extent);
  for (const { angle, reach } of places.values()) {
    const x = (reach * Math.cos((angle * Math.PI) / 180)) / extent.x;
    const y = (reach * Math.sin((angle * Math.PI) / 180)) / extent.y;
    expect(Math.hypot(x, y)).toBeCloseTo(1);
  }
});

test("when the rim is crowded every other peer moves inwards", () => {
  const ids = Array.from({ length: 20 }, (_, index) => `p${index}`);
  const reaches = [...orbit([ids], circle).values()].map(({ reach }) => Math.round(reach));
  expect(new Set(reaches)).toEqual(new Set([100, 64]));
});

test("nobody there, no places", () => {
  expect(orbit([], circle).size).toBe(0);
});
