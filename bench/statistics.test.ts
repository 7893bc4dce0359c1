import { expect, test } from "vitest";
import { median, medianInterval, paired, percentile, summarise } from "./statistics.ts";

test("the median of an even count lies between the two in the middle", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

test("a percentile lies between its neighbours in proportion", () => {
  expect(percentile([0, 10, 20, 30, 40], 0.95)).toBeCloseTo(38);
  expect(percentile([7], 0.95)).toBe(7);
});

test("the interval of a median is narrow where the numbers agree, and includes the median", () => {
  let state = 1;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  expect(medianInterval([5, 5, 5], random)).toEqual([5, 5]);
  const [low, high] = medianInterval(
    Array.from({ length: 401 }, (_, index) => index),
    random,
  );
  // The standard error of a median of n uniform numbers is 1/(2√n) of their range.
  expect(low).toBeGreaterThan(200 - 3 * 10);
  expect(low).toBeLessThan(200 - 10);
  expect(high).toBeGreaterThan(200 + 10);
  expect(high).toBeLessThan(200 + 3 * 10);
});

test("a summary has the middle and both ends", () => {
  expect(summarise([9, 1, 5])).toEqual({ median: 5, least: 1, most: 9 });
});

test("ratios are of numbers of the same round", () => {
  expect(paired([10, 30], [5, 10])).toEqual([2, 3]);
});
