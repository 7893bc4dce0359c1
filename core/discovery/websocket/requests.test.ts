import { expect, test } from "vitest";
import { BonevalueError } from "../../errors.ts";
import { createVirtualClock } from "../../testing/virtual-clock.ts";
import { createRequests } from "./requests.ts";

test("refusals of the last 256 relayed signals are told; older signals are forgotten, since no answer means delivery", () => {
  const requests = createRequests(createVirtualClock());
  const refused: number[] = [];
  const ids = Array.from({ length: 257 }, (_, signal) => requests.trackRelay(() => refused.push(signal)));
  for (const id of ids) requests.reject(id, new BonevalueError("unknown-peer", "The peer is offline."));
  expect(refused).toEqual(Array.from({ length: 256 }, (_, index) => index + 1));
});
