import { expect, test } from "vitest";
import { createProgressCounter } from "./progress-counter.ts";

test("what was read of the frames is told as bytes of the app, each once", () => {
  const tally = createProgressCounter();
  tally.begin(110, 100);
  tally.begin(60, 50);
  expect(tally.read(0)).toBe(0);
  expect(tally.read(110)).toBe(100);
  tally.begin(11, 1);
  expect(tally.read(181)).toBe(51);
  expect(tally.read(181)).toBe(0);
});
