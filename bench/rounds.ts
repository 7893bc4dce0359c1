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

/** Measures a part in rounds. Who begins changes from round to round. What pages do first, for engines to warm up, is not counted. */
export async function runRounds(part: Part, stage: Stage, { rounds, time }: Extent): Promise<Numbers> {
  const begun = performance.now();
  const kept = new Map<Name, Pair>();
  const numbers: Record<string, Partial<Record<Name, number[]>>> = {};
  for (const { key } of part.figures) numbers[key] = Object.fromEntries(part.contestants.map((name) => [name, []]));

  for (let round = 0; round < rounds; round++) {
    if (round >= fewest && performance.now() - begun > time) break;
    for (const name of rotated(part.contestants, round)) {
      const pair = kept.get(name) ?? (await openPair(part, stage, name));
      for (const [key, number] of Object.entries(await part.measure(pair))) numbers[key]?.[name]?.push(number);
      if (part.anew) await pair.close();
      else kept.set(name, pair);
    }
  }
  for (const pair of kept.values()) await pair.close();
  return numbers;
}

async function openPair(part: Part, stage: Stage, name: Name): Promise<Pair> {
  const pair = await stage.pair(name);
  if (part.warm) await pair.dial({ mark: part.mark });
  await part.measure(pair);
  return pair;
}

function rotated<T>(all: readonly T[], by: number): readonly T[] {
  const from = by % all.length;
  return [...all.slice(from), ...all.slice(0, from)];
}
