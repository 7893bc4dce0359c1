import { expect, test } from "vitest";
import { createFairQueue } from "./fair-queue.ts";

test("a frame that turns out to be empty fits into a full message and delays nothing", () => {
  const flows = createFairQueue(() => 0);
  flows.add("nothing", { write: () => [] });
  flows.add("something", { write: () => [new Uint8Array(1)] });
  expect(flows.dequeue(-1, 16_384)?.frame).toEqual([]);
  expect(flows.dequeue(-1, 16_384)).toBeUndefined();
  expect(flows.dequeue(1, 16_384)?.frame).toEqual([new Uint8Array(1)]);
  expect(flows.isEmpty).toBe(true);
});
