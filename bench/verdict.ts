import type { Name } from "./contestants/all.ts";
import type { Figure, Goal, Part } from "./parts/part.ts";
import type { Numbers } from "./rounds.ts";
import { paired, type Summary, summarise } from "./statistics.ts";

/** What a part found for one figure. */
export interface Finding {
  readonly part: string;
  readonly figure: Figure;
  readonly rounds: number;
  readonly contestants: readonly Standing[];
  readonly goals: readonly Verdict[];
}

/** One contestant's numbers, and its ratios to the raw channel in the same rounds. */
export interface Standing {
  readonly name: Name;
  readonly numbers: readonly number[];
  readonly number: Summary;
  readonly toRaw: Summary | undefined;
}

/** Whether this library's ratio is what it should be, in the median of the rounds. */
export interface Verdict {
  readonly goal: Goal;
  readonly ratio: Summary;
  readonly met: boolean;
}

const ours: Name = "bonevalue";
const platform: Name = "raw";

/** Judges the numbers of a part. */
export function judge(part: Part, numbers: Numbers): Finding[] {
  return part.figures.map((figure) => {
    const by = numbers[figure.key] ?? {};
    return {
      part: part.name,
      figure,
      rounds: by[ours]?.length ?? 0,
      contestants: part.contestants.map((name) =>
        standing(name, by[name] ?? [], figure.own ? undefined : by[platform]),
      ),
      goals: figure.goals.map((goal) =>
        verdict(goal, by[goal.of ?? ours] ?? [], goal.against && (by[goal.against] ?? [])),
      ),
    };
  });
}

function standing(name: Name, numbers: readonly number[], raw: readonly number[] | undefined): Standing {
  return { name, numbers, number: summarise(numbers), toRaw: raw && summarise(paired(numbers, raw)) };
}

function verdict(goal: Goal, numbers: readonly number[], against: readonly number[] | undefined): Verdict {
  const ratio = summarise(against ? paired(numbers, against) : numbers);
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = goal;
  return { goal, ratio, met: ratio.median >= atLeast && ratio.median <= atMost };
}
