import type { Pair } from "../stage.ts";

/** How fast the pair's stream arrives meanwhile, in KB/s. */
export async function speedDuring({ callee }: Pair, task: () => Promise<void>): Promise<number> {
  const before = await callee.evaluate(() => bench.arrival.progress());
  await task();
  const after = await callee.evaluate(() => bench.arrival.progress());
  return (after.bytes - before.bytes) / (after.at - before.at);
}

/** Resolves after `time` ms. */
export function pause(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time));
}
