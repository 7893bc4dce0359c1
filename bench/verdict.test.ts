import { expect, test } from "vitest";
import type { Goal, Part } from "./parts/part.ts";
import { judge } from "./verdict.ts";

function partOf(goals: readonly Goal[], own?: true): Part {
  return {
    name: "part",
    contestants: ["raw", "bonevalue", "PeerJS"],
    figures: [{ key: "speed", title: "Speed", unit: "MB/s", better: "more", goals, ...(own && { own }) }],
    mark: 0,
    warm: true,
    measure: async () => ({}),
  };
}

const numbers = { speed: { raw: [10, 20, 40], bonevalue: [9, 30, 30], PeerJS: [1, 10, 20] } };

test("every contestant's ratio to raw is taken round by round", () => {
  const [finding] = judge(partOf([]), numbers);
  expect(finding?.rounds).toBe(3);
  expect(finding?.contestants.map(({ name, toRaw }) => [name, toRaw?.median])).toEqual([
    ["raw", 1],
    ["bonevalue", 0.9],
    ["PeerJS", 0.5],
  ]);
});

test("a goal is met by the median of our ratios, not by the ratio of medians", () => {
  const goals = [
    { against: "raw", atLeast: 0.9 },
    { against: "raw", atLeast: 0.95 },
    { against: "PeerJS", atMost: 3 },
  ] as const;
  expect(judge(partOf(goals), numbers)[0]?.goals.map(({ met }) => met)).toEqual([true, false, true]);
});

test("what is a ratio already is judged by itself", () => {
  const [finding] = judge(partOf([{ atLeast: 25 }], true), numbers);
  expect(finding?.goals[0]).toMatchObject({ met: true, ratio: { median: 30, least: 9, most: 30 } });
  expect(finding?.contestants[0]?.toRaw).toBeUndefined();
});

test("a goal of another contestant is judged by its numbers", () => {
  const [finding] = judge(partOf([{ of: "PeerJS", against: "raw", atLeast: 0.5 }]), numbers);
  expect(finding?.goals[0]).toMatchObject({ met: true, ratio: { median: 0.5 } });
});
