import type { BenchEnvironment, Pair } from "../environment.ts";
import type { LibraryName } from "../libraries/all.ts";

/** A part of the bench that is measured in rounds, each library once in every round. */
export interface Part {
  readonly name: string;
  readonly libraries: readonly LibraryName[];
  readonly metrics: readonly Metric[];
  /** The high-water mark of the raw channel, in bytes. */
  readonly highWaterMark: number;
  /** Whether one warmed-up link serves all rounds. Otherwise `measure` dials. */
  readonly warm: boolean;
  /** Opens an environment for this part alone, which `main.ts` closes. */
  open?(): Promise<BenchEnvironment>;
  /** Measures one library once. Returns a number for each metric's key. */
  measure(pair: Pair): Promise<Readonly<Record<string, number>>>;
}

/** A number that a part measures. */
export interface Metric {
  readonly key: string;
  readonly title: string;
  readonly unit: string;
  readonly better: "more" | "less";
  /** The number is already a ratio of two measurements of one library. */
  readonly isRatio?: true;
  readonly goals: readonly Goal[];
}

/** A limit for the median of this library's number, divided by another library's number of the same round. */
export interface Goal {
  /** The library under test. Default: bonevalue. */
  readonly of?: LibraryName;
  /** Default: no library, so the limit applies to the number itself. */
  readonly against?: LibraryName;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** High-water marks of the raw channel, in bytes. */
export const highWaterMarks: Readonly<Record<"bulk" | "latency", number>> = { bulk: 256 * 1_024, latency: 64 * 1_024 };

/** Restricts a part to these libraries, and to goals that need no others. */
export function restrictTo(part: Part, names: readonly string[] | undefined): Part {
  if (!names) return part;
  const decided = ({ of, against }: Goal) => [of, against].every((name) => name === undefined || names.includes(name));
  return {
    ...part,
    libraries: part.libraries.filter((name) => names.includes(name)),
    metrics: part.metrics.map((metric) => ({ ...metric, goals: metric.goals.filter(decided) })),
  };
}
