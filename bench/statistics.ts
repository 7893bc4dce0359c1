/** The median. */
export function median(numbers: readonly number[]): number {
  return percentile(numbers, 0.5);
}

/** The percentile `share`, from 0 to 1, with linear interpolation. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const index = (sorted.length - 1) * share;
  const below = sorted[Math.floor(index)] ?? Number.NaN;
  const above = sorted[Math.ceil(index)] ?? Number.NaN;
  return below + (above - below) * (index - Math.floor(index));
}

/** The 95 % confidence interval of the median, by bootstrap: medians of samples that are drawn with replacement. */
export function medianInterval(
  numbers: readonly number[],
  random: () => number = Math.random,
): readonly [low: number, high: number] {
  const draw = () => numbers[Math.floor(random() * numbers.length)]!;
  const medians = Array.from({ length: 2_000 }, () => median(numbers.map(draw)));
  return [percentile(medians, 0.025), percentile(medians, 0.975)];
}

/** A summary of repeated measurements. */
export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** The median and range of the numbers. */
export function summarise(numbers: readonly number[]): Summary {
  return { median: median(numbers), least: Math.min(...numbers), most: Math.max(...numbers) };
}

/** The ratios of the numbers of each round. */
export function paired(numbers: readonly number[], by: readonly number[]): number[] {
  return numbers.map((number, round) => number / by[round]!);
}
