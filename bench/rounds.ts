import type { BenchEnvironment, Pair } from "./environment.ts";
import type { LibraryName } from "./libraries/all.ts";
import type { Part } from "./parts/part.ts";

/** One number a round for each metric's key and each library. */
export type Numbers = Readonly<Record<string, Readonly<Partial<Record<LibraryName, readonly number[]>>>>>;

/** When to stop: after `rounds`, or after `time` ms and at least three rounds. */
export interface RoundLimit {
  readonly rounds: number;
  readonly time: number;
}

const minRounds = 3;

/** Measures a part in rounds, in rotating order. An additional first round warms up the engines. */
export async function runRounds(
  part: Part,
  environment: BenchEnvironment,
  { rounds, time }: RoundLimit,
): Promise<Numbers> {
  const begun = performance.now();
  const pairs = await Promise.all(part.libraries.map((name) => environment.pair(name)));
  const numbers: Record<string, Partial<Record<LibraryName, number[]>>> = {};
  for (const { key } of part.metrics) numbers[key] = Object.fromEntries(part.libraries.map((name) => [name, []]));

  if (part.warm) for (const pair of pairs) await pair.dial({ highWaterMark: part.highWaterMark });
  for (const pair of pairs) await part.measure(pair);
  for (let round = 0; round < rounds; round++) {
    if (round >= minRounds && performance.now() - begun > time) break;
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
