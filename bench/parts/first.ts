import { median } from "../statistics.ts";
import { highWaterMarks, type Part } from "./part.ts";

const links = 5;

/** The time to the first reply without a link. */
export const first: Part = {
  name: "first",
  libraries: ["raw", "bonevalue", "PeerJS", "simple-peer"],
  highWaterMark: highWaterMarks.latency,
  warm: false,
  metrics: [
    {
      key: "time",
      title: "From the call on a peer without a link to its reply",
      unit: "ms",
      better: "less",
      goals: [{ against: "raw", atMost: 1.25 }],
    },
  ],
  async measure(pair) {
    const times: number[] = [];
    for (let link = 0; link < links; link++) {
      times.push(await pair.dial({ highWaterMark: highWaterMarks.latency }));
      await pair.hangUp();
    }
    return { time: median(times) };
  },
};
