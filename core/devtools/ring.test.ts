import { expect, test } from "vitest";
import { createKeyedRing, createRing, maxEntries } from "./ring.ts";

const counted = (from: number, count: number) => Array.from({ length: count }, (_, index) => from - index);

test("a ring keeps the newest entries, the newest first", () => {
  const ring = createRing<number>();
  for (let entry = 0; entry < 3; entry++) ring.add(entry);
  expect(ring.newestFirst()).toEqual([2, 1, 0]);
  for (let entry = 3; entry < maxEntries + 7; entry++) ring.add(entry);
  expect(ring.newestFirst()).toEqual(counted(maxEntries + 6, maxEntries));
  expect(ring.size).toBe(maxEntries);
  ring.clear();
  ring.add(1);
  expect(ring.newestFirst()).toEqual([1]);
});

test("a ring by key keeps the entries that were set last", () => {
  const ring = createKeyedRing<number, number>();
  for (let key = 0; key < maxEntries + 2; key++) ring.set(key, key);
  expect([ring.get(1), ring.get(2), ring.size]).toEqual([undefined, 2, maxEntries]);
  ring.set(2, -2);
  expect(ring.newestFirst().slice(0, 2)).toEqual([-2, maxEntries + 1]);
  ring.delete(2);
  expect(ring.get(2)).toBeUndefined();
});
