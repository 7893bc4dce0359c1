import type { LibraryName } from "./libraries/all.ts";
import type { Goal, Metric, Part } from "./parts/part.ts";
import type { Numbers } from "./rounds.ts";
import { paired, type Summary, summarise } from "./statistics.ts";

/** The result of a part for one metric. */
export interface MetricResult {
  readonly part: string;
  readonly metric: Metric;
  readonly rounds: number;
  readonly libraries: readonly LibraryResult[];
  readonly goals: readonly GoalResult[];
}

/** A library's numbers, and its ratios to raw in the same rounds. */
export interface LibraryResult {
  readonly name: LibraryName;
  readonly numbers: readonly number[];
  readonly number: Summary;
  readonly toRaw: Summary | undefined;
}

/** Whether the median ratio meets a goal. */
export interface GoalResult {
  readonly goal: Goal;
  readonly ratio: Summary;
  readonly met: boolean;
}

const ownLibrary: LibraryName = "bonevalue";
const platform: LibraryName = "raw";

/** Evaluates the numbers of a part. */
export function evaluate(part: Part, numbers: Numbers): MetricResult[] {
  return part.metrics.map((metric) => {
    const by = numbers[metric.key] ?? {};
    return {
      part: part.name,
      metric,
      rounds: Math.max(0, ...Object.values(by).map((numbers) => numbers.length)),
      libraries: part.libraries.map((name) =>
        toLibraryResult(name, by[name] ?? [], metric.isRatio ? undefined : by[platform]),
      ),
      goals: metric.goals.map((goal) =>
        toGoalResult(goal, by[goal.of ?? ownLibrary] ?? [], goal.against && (by[goal.against] ?? [])),
      ),
    };
  });
}

function toLibraryResult(
  name: LibraryName,
  numbers: readonly number[],
  raw: readonly number[] | undefined,
): LibraryResult {
  return { name, numbers, number: summarise(numbers), toRaw: raw && summarise(paired(numbers, raw)) };
}

function toGoalResult(goal: Goal, numbers: readonly number[], against: readonly number[] | undefined): GoalResult {
  const ratio = summarise(against ? paired(numbers, against) : numbers);
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = goal;
  return { goal, ratio, met: ratio.median >= atLeast && ratio.median <= atMost };
}
