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
