import { expect, test } from "vitest";
import { createBackoff } from "./backoff.ts";

test("delays are random below a limit that doubles from half a second to ten seconds", () => {
  const backoff = createBackoff(() => 0.5);
  expect(Array.from({ length: 7 }, backoff.next)).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
});

test("a reset starts again with the lowest limit", () => {
  const backoff = createBackoff(() => 0.5);
  backoff.next();
  backoff.next();
  backoff.reset();
  expect(backoff.next()).toBe(250);
});
