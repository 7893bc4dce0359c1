import { expect, test } from "vitest";
import { createTokenBucket } from "./token-bucket.ts";

test("a burst is free, then each token takes time", () => {
  const pace = createTokenBucket(50, 2, 0);
  expect([pace.take(0), pace.take(0), pace.take(0), pace.take(20)]).toEqual([0, 0, 20, 20]);
});

test("a clock that is set back adds no waiting time", () => {
  const pace = createTokenBucket(50, 2, 3_600_000);
  expect([pace.take(0), pace.take(0), pace.take(0)]).toEqual([0, 0, 20]);
});
