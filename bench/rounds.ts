import type { Name } from "./contestants/all.ts";
import type { Part } from "./parts/part.ts";
import type { Pair, Stage } from "./stage.ts";

/** For each figure's key and each contestant one number a round. */
export type Numbers = Readonly<Record<string, Readonly<Partial<Record<Name, readonly number[]>>>>>;

/** When to stop: after `rounds`, or sooner, when `time` ms have passed and there were three. */
export interface Extent {
  readonly rounds: number;
  readonly time: number;
}

const fewest = 3;

/** Measures a part in rounds. Who begins changes from round to round; a first round, for engines to warm up, is not counted. */
export async function runRounds(part: Part, stage: Stage, { rounds, time }: Extent): Promise<Numbers> {
  const begun = performance.now();
  const pairs = await Promise.all(part.contestants.map((name) => stage.pair(name)));
  const numbers: Record<string, Partial<Record<Name, number[]>>> = {};
  for (const { key } of part.figures) numbers[key] = Object.fromEntries(part.contestants.map((name) => [name, []]));

  if (part.warm) for (const pair of pairs) await pair.dial({ mark: part.mark });
  for (const pair of pairs) await part.measure(pair);
  for (let round = 0; round < rounds; round++) {
    if (round >= fewest && performance.now() - begun > time) break;
    for (const pair of rotated(pairs, round)) {
      for (const [key, number] of Object.entries(await part.measure(pair))) {
        numbers[key]?.[pair.name]?.push(number);
      }
    }
  }
  for (const pair of pairs) await pair.close();
  return numbers;
}

function rotated(pairs: readonly Pair[], by: number): readonly Pair[] {
  const from = by % pairs.length;
  return [...pairs.slice(from), ...pairs.slice(0, from)];
}
