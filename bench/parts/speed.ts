import type { Pair } from "../environment.ts";

/** The rate of the pair's stream while `task` runs, in KB/s. */
export async function speedDuring({ callee }: Pair, task: () => Promise<void>): Promise<number> {
  const before = await callee.evaluate(() => bench.received.progress());
  await task();
  const after = await callee.evaluate(() => bench.received.progress());
  return (after.bytes - before.bytes) / (after.at - before.at);
}

/** Resolves after `time` ms. */
export function pause(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time));
}
