import { expect, test } from "vitest";
import { createBackoff } from "./backoff.ts";

test("waits are drawn below a cap that doubles from half a second to ten seconds", () => {
  const backoff = createBackoff(() => 0.5);
  expect(Array.from({ length: 7 }, backoff.next)).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
});

test("a reset begins again at the lowest cap", () => {
  const backoff = createBackoff(() => 0.5);
  backoff.next();
  backoff.next();
  backoff.reset();
  expect(backoff.next()).toBe(250);
});
