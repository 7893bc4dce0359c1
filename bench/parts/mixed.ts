import { percentile } from "../statistics.ts";
import { highWaterMarks, type Part } from "./part.ts";
import { pause, speedDuring } from "./speed.ts";

const callsPerSecond = 20;
const alone = 1_500;
const beside = 4_500;

const held = "bonevalue at 64 KiB";

/** Occasional small calls while a stream fills the link. */
export const mixed: Part = {
  name: "mixed",
  libraries: ["raw", "bonevalue", held, "PeerJS"],
  highWaterMark: highWaterMarks.latency,
  warm: true,
  metrics: [
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
      isRatio: true,
      // Both with a high-water mark of 64 KiB. By default the stream alone has a larger one.
      goals: [{ of: held, atLeast: 0.9 }],
    },
  ],
  async measure(pair) {
    const { caller, callee } = pair;
    await callee.evaluate(() => bench.received.reset());
    await caller.evaluate((size) => bench.send(size), Number.POSITIVE_INFINITY);
    await pause(300);
    const speedAlone = await speedDuring(pair, () => pause(alone));
    let times: number[] = [];
    const speedBeside = await speedDuring(pair, async () => {
      times = await caller.evaluate(([rate, time]) => bench.callAtRandom(rate, time), [
        callsPerSecond,
        beside,
      ] as const);
    });
    await caller.evaluate(() => bench.finish());
    return { p50: percentile(times, 0.5), p95: percentile(times, 0.95), kept: speedBeside / speedAlone };
  },
};
