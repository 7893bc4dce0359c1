import type { Pair } from "../environment.ts";
import { highWaterMarks, type Part } from "./part.ts";

const megabyte = 1_000_000;

/** 100 MB on a warm link. */
export const warm: Part = {
  name: "warm",
  libraries: ["raw", "bonevalue", "PeerJS", "simple-peer", "Trystero"],
  highWaterMark: highWaterMarks.bulk,
  warm: true,
  metrics: [
    {
      key: "speed",
      title: "100 MB as one stream of 64 KiB chunks, on a warm link",
      unit: "MB/s",
      better: "more",
      goals: [
        { against: "raw", atLeast: 0.95 },
        { against: "PeerJS", atLeast: 1.05 },
        { against: "Trystero", atLeast: 1.1 },
      ],
    },
  ],
  measure: async (pair) => ({ speed: await transfer(pair, 100 * megabyte) }),
};

/** The first 25 MB on a new link. */
export const fresh: Part = {
  name: "fresh",
  libraries: ["raw", "bonevalue", "PeerJS", "simple-peer"],
  highWaterMark: highWaterMarks.bulk,
  warm: false,
  metrics: [
    {
      key: "speed",
      title: "The first 25 MB on a fresh link",
      unit: "MB/s",
      better: "more",
      goals: [
        { against: "raw", atLeast: 0.95 },
        { against: "PeerJS", atLeast: 2 },
      ],
    },
  ],
  async measure(pair) {
    await pair.dial({ highWaterMark: highWaterMarks.bulk });
    const speed = await transfer(pair, 25 * megabyte);
    await pair.hangUp();
    return { speed };
  },
};

/** Transfers `size` bytes. Resolves to the rate in MB/s. */
export async function transfer({ caller, callee }: Pair, size: number): Promise<number> {
  await callee.evaluate(() => bench.received.reset());
  const begun = await caller.evaluate((size) => bench.send(size), size);
  const ended = await callee.evaluate((size) => bench.received.waitFor(size), size);
  await caller.evaluate(() => bench.finish());
  return size / megabyte / ((ended - begun) / 1_000);
}
