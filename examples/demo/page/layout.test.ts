import { expect, test } from "vitest";
import { layOut } from "./layout.ts";

const circle = { x: 100, y: 100 };
const round = (groups: readonly (readonly string[])[], extent = circle) =>
  [...layOut(groups, extent)].map(([id, { angle, reach }]) => [id, Math.round(angle), Math.round(reach)]);

test("two users with one peer each are opposite each other", () => {
  expect(round([["a"], ["b"]])).toEqual([
    ["a", 180, 100],
    ["b", 360, 100],
  ]);
});

test("peers of one user are closer together than peers of two users", () => {
  const [a, b, c] = [...layOut([["a", "b"], ["c"]], circle).values()].map(({ angle }) => angle);
  expect(b! - a!).toBeLessThan(c! - b!);
});

test("a user without peers takes no space", () => {
  expect(round([["a"], [], ["b"]])).toEqual(round([["a"], ["b"]]));
});

test("in a wide area positions follow an ellipse", () => {
  const extent = { x: 200, y: 100 };
  const places = layOut([["a", "b", "c", "d"]], extent);
  for (const { angle, reach } of places.values()) {
    const x = (reach * Math.cos((angle * Math.PI) / 180)) / extent.x;
    const y = (reach * Math.sin((angle * Math.PI) / 180)) / extent.y;
    expect(Math.hypot(x, y)).toBeCloseTo(1);
  }
});

test("with many peers every other one moves inwards", () => {
  const ids = Array.from({ length: 20 }, (_, index) => `p${index}`);
  const reaches = [...layOut([ids], circle).values()].map(({ reach }) => Math.round(reach));
  expect(new Set(reaches)).toEqual(new Set([100, 64]));
});

test("no peers give no positions", () => {
  expect(layOut([], circle).size).toBe(0);
});
