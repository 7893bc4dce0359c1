import fc from "fast-check";

/**
 * fast-check with the seed of this run. Property and simulation tests import it from here, so that `npm test` tries the
 * same cases each time and `npm run test:soak` others. The environment decides:
 *
 * - `SEED`: another seed than 1.
 * - `SEED_PATH`: with `SEED`, only the case at that path, which a failure prints.
 * - `RUNS`: how many cases each test tries, instead of its own number.
 */
export { fc };

/** The seed from which a simulation draws its random numbers. */
export const baseSeed: number = Number(process.env["SEED"] ?? 1);

/** How many cases to try: `usual`, unless `RUNS` says otherwise. */
export function runs(usual: number): number {
  return Number(process.env["RUNS"] ?? usual);
}

/** A source of numbers from 0 up to 1: the same ones for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A source of whole numbers from 0 up to, not including, `below`. */
export function createDice(seed: number): (below: number) => number {
  const random = createRandom(seed);
  return (below) => Math.floor(random() * below);
}

const path = process.env["SEED_PATH"];
fc.configureGlobal({ seed: baseSeed, numRuns: runs(100), ...(path !== undefined && { path }) });
