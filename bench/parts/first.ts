import { median } from "../statistics.ts";
import { marks, type Part } from "./part.ts";

const links = 5;

/** From nothing to an answer. */
export const first: Part = {
  name: "first",
  contestants: ["raw", "bonevalue", "PeerJS", "simple-peer"],
  mark: marks.latency,
  warm: false,
  figures: [
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
      times.push(await pair.dial({ mark: marks.latency }));
      await pair.hangUp();
    }
    return { time: median(times) };
  },
};
