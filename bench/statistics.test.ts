import { expect, test } from "vitest";
import { median, paired, percentile, summarise } from "./statistics.ts";

test("the median of an even count lies between the two in the middle", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

test("a percentile lies between its neighbours in proportion", () => {
  expect(percentile([0, 10, 20, 30, 40], 0.95)).toBeCloseTo(38);
  expect(percentile([7], 0.95)).toBe(7);
});

test("a summary has the middle and both ends", () => {
  expect(summarise([9, 1, 5])).toEqual({ median: 5, least: 1, most: 9 });
});

test("ratios are of numbers of the same round", () => {
  expect(paired([10, 30], [5, 10])).toEqual([2, 3]);
});
