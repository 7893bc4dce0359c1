/** The value that half of the numbers do not exceed. */
export function median(numbers: readonly number[]): number {
  return percentile(numbers, 0.5);
}

/** The value that `share` of the numbers, from 0 to 1, do not exceed; between two of them in proportion. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** What many measurements of one thing say. */
export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** The middle of the numbers and their range. */
export function summarise(numbers: readonly number[]): Summary {
  return { median: median(numbers), least: Math.min(...numbers), most: Math.max(...numbers) };
}

/** Each number divided by the one of the same round. */
export function paired(numbers: readonly number[], by: readonly number[]): number[] {
  return numbers.map((number, round) => number / by[round]!);
}
