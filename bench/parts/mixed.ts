import { percentile } from "../statistics.ts";
import { marks, type Part } from "./part.ts";
import { pause, speedDuring } from "./speed.ts";

const callsPerSecond = 20;
const alone = 1_500;
const beside = 4_500;

const held = "bonevalue at 64 KiB";

/** Sporadic small calls while a stream fills the link. */
export const mixed: Part = {
  name: "mixed",
  contestants: ["raw", "bonevalue", held, "PeerJS"],
  mark: marks.latency,
  warm: true,
  figures: [
    {
      key: "p50",
      title: `A small call now and then (${callsPerSecond} a second) while a stream fills the link, median`,
      unit: "ms",
      better: "less",
      goals: [
        { against: "raw", atMost: 1.3 },
        { of: held, against: "raw", atMost: 1.3 },
        { against: "PeerJS", atMost: 0.3 },
      ],
    },
    {
      key: "p95",
      title: "The same, 95th percentile",
      unit: "ms",
      better: "less",
      goals: [
        { against: "raw", atMost: 1.3 },
        { of: held, against: "raw", atMost: 1.3 },
        { against: "PeerJS", atMost: 0.3 },
      ],
    },
    {
      key: "kept",
      title: "The stream's speed beside those calls, against its speed without them",
      unit: "",
      better: "more",
      own: true,
      // Both at a mark of 64 KiB. As its users have it the stream alone has a larger one.
      goals: [{ of: held, atLeast: 0.9 }],
    },
  ],
  async measure(pair) {
    const { caller, callee } = pair;
    await callee.evaluate(() => bench.arrival.reset());
    await caller.evaluate((size) => bench.send(size), Number.POSITIVE_INFINITY);
    await pause(300);
    const speedAlone = await speedDuring(pair, () => pause(alone));
    let times: number[] = [];
    const speedBeside = await speedDuring(pair, async () => {
      times = await caller.evaluate(([rate, time]) => bench.sporadic(rate, time), [callsPerSecond, beside] as const);
    });
    await caller.evaluate(() => bench.finish());
    return { p50: percentile(times, 0.5), p95: percentile(times, 0.95), kept: speedBeside / speedAlone };
  },
};
