import { median } from "../statistics.ts";
import { marks, type Part } from "./part.ts";

const atATime = 250;
const inFlight = 256;
const duration = 500;

/** Texts of 100 bytes, sent back. */
export const calls: Part = {
  name: "calls",
  contestants: ["raw", "raw, joined", "bonevalue", "PeerJS", "simple-peer", "Trystero", "birpc", "capnweb"],
  mark: marks.latency,
  warm: true,
  figures: [
    {
      key: "p50",
      title: "One call at a time, median",
      unit: "ms",
      better: "less",
      goals: [{ against: "raw", atMost: 1.2 }],
    },
    {
      key: "rate",
      title: `Calls a second, ${inFlight} in flight, each reply starting the next`,
      unit: "calls/s",
      better: "more",
      goals: [
        { against: "raw", atLeast: 5 },
        { against: "birpc", atLeast: 6 },
        { against: "capnweb", atLeast: 10 },
        { against: "Trystero", atLeast: 15 },
      ],
    },
  ],
  async measure({ caller }) {
    const times = await caller.evaluate((count) => bench.oneAtATime(count), atATime);
    const rate = await caller.evaluate(([calls, time]) => bench.inFlight(calls, time), [inFlight, duration] as const);
    return { p50: median(times), rate };
  },
};
