import { expect, test } from "vitest";
import { evaluate } from "./goals.ts";
import type { Goal, Part } from "./parts/part.ts";

function partOf(goals: readonly Goal[], isRatio?: true): Part {
  return {
    name: "part",
    libraries: ["raw", "bonevalue", "PeerJS"],
    metrics: [{ key: "speed", title: "Speed", unit: "MB/s", better: "more", goals, ...(isRatio && { isRatio }) }],
    highWaterMark: 0,
    warm: true,
    measure: async () => ({}),
  };
}

const numbers = { speed: { raw: [10, 20, 40], bonevalue: [9, 30, 30], PeerJS: [1, 10, 20] } };

test("the ratio to raw is computed for each round", () => {
  const [finding] = evaluate(partOf([]), numbers);
  expect(finding?.rounds).toBe(3);
  expect(finding?.libraries.map(({ name, toRaw }) => [name, toRaw?.median])).toEqual([
    ["raw", 1],
    ["bonevalue", 0.9],
    ["PeerJS", 0.5],
  ]);
});

test("a goal is compared with the median of ratios, not with the ratio of medians", () => {
  const goals = [
    { against: "raw", atLeast: 0.9 },
    { against: "raw", atLeast: 0.95 },
    { against: "PeerJS", atMost: 3 },
  ] as const;
  expect(evaluate(partOf(goals), numbers)[0]?.goals.map(({ met }) => met)).toEqual([true, false, true]);
});

test("what is a ratio already is judged by itself", () => {
  const [finding] = evaluate(partOf([{ atLeast: 25 }], true), numbers);
  expect(finding?.goals[0]).toMatchObject({ met: true, ratio: { median: 30, least: 9, most: 30 } });
  expect(finding?.libraries[0]?.toRaw).toBeUndefined();
});

test("a goal of another library uses its numbers", () => {
  const [finding] = evaluate(partOf([{ of: "PeerJS", against: "raw", atLeast: 0.5 }]), numbers);
  expect(finding?.goals[0]).toMatchObject({ met: true, ratio: { median: 0.5 } });
});
