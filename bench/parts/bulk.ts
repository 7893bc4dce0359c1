import type { Pair } from "../stage.ts";
import { marks, type Part } from "./part.ts";

const megabyte = 1_000_000;

/** 100 MB on a link that has been used. */
export const warm: Part = {
  name: "warm",
  contestants: ["raw", "bonevalue", "PeerJS", "simple-peer", "Trystero"],
  mark: marks.bulk,
  warm: true,
  figures: [
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

/** The first 25 MB on a link that was not there before. */
export const fresh: Part = {
  name: "fresh",
  contestants: ["raw", "bonevalue", "PeerJS", "simple-peer"],
  mark: marks.bulk,
  warm: false,
  figures: [
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
    await pair.dial({ mark: marks.bulk });
    const speed = await transfer(pair, 25 * megabyte);
    await pair.hangUp();
    return { speed };
  },
};

/** How fast `size` bytes arrive, in MB/s. */
async function transfer({ caller, callee }: Pair, size: number): Promise<number> {
  await callee.evaluate(() => bench.arrival.reset());
  const begun = await caller.evaluate((size) => bench.send(size), size);
  const ended = await callee.evaluate((size) => bench.arrival.whole(size), size);
  await caller.evaluate(() => bench.finish());
  return size / megabyte / ((ended - begun) / 1_000);
}
