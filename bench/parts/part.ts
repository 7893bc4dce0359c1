import type { Name } from "../contestants/all.ts";
import type { Pair } from "../stage.ts";

/** Something that is measured in rounds, each contestant once in every round. */
export interface Part {
  readonly name: string;
  readonly contestants: readonly Name[];
  readonly figures: readonly Figure[];
  /** Where the raw channel stops to fill its buffer, in bytes. */
  readonly mark: number;
  /** Whether one link serves all rounds, and was used before the first. Otherwise `measure` dials. */
  readonly warm: boolean;
  /** One contestant's turn: a number for each figure's key. */
  measure(pair: Pair): Promise<Readonly<Record<string, number>>>;
}

/** One number that a part finds. */
export interface Figure {
  readonly key: string;
  readonly title: string;
  readonly unit: string;
  readonly better: "more" | "less";
  /** It is a ratio already, of two things that one contestant does. */
  readonly own?: true;
  readonly goals: readonly Goal[];
}

/** What this library's number, divided by that of another in the same round, should be in the median. */
export interface Goal {
  /** Whose number, where it is not this library's as its users have it. */
  readonly of?: Name;
  /** Nobody: the number itself. */
  readonly against?: Name;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** The raw channel's marks, fixed beforehand, in bytes. */
export const marks: Readonly<Record<"bulk" | "latency", number>> = { bulk: 256 * 1_024, latency: 64 * 1_024 };

/** The part with these of its contestants alone, and with the goals that they decide. */
export function among(part: Part, names: readonly string[] | undefined): Part {
  if (!names) return part;
  const decided = ({ of, against }: Goal) => [of, against].every((name) => name === undefined || names.includes(name));
  return {
    ...part,
    contestants: part.contestants.filter((name) => names.includes(name)),
    figures: part.figures.map((figure) => ({ ...figure, goals: figure.goals.filter(decided) })),
  };
}
