import type { Pair } from "../environment.ts";
import { highWaterMarks } from "../parts/part.ts";
import { median, medianInterval, paired } from "../statistics.ts";
import { limited, type Scenario } from "./scenario.ts";

const warmups = 10;
const dials = 300;

/** Direct links, with a relay that they could use, and without. */
export const relayDial: Scenario = {
  name: "relay-dial",
  title: `${dials} direct links with a relay on offer, alternating with ${dials} without, until the first reply`,
  async run(environment) {
    const without = await environment.pair("bonevalue");
    const offered = await environment.pair("bonevalue, relay offered");
    const times: Record<"without" | "offered", number[]> = { without: [], offered: [] };
    for (let round = -warmups; round < dials; round++) {
      const measure = {
        without: async () => times.without.push(await dial(without)),
        offered: async () => times.offered.push(await dial(offered)),
      };
      for (const name of round % 2 ? (["offered", "without"] as const) : (["without", "offered"] as const))
        await measure[name]();
    }
    await Promise.all([without.close(), offered.close()]);
    const ratios = paired(times.offered, times.without).slice(warmups);
    const [low, high] = medianInterval(ratios);
    return [
      limited("time with a relay on offer, to the time without, median of the pairs", median(ratios), "", {
        atLeast: 0.98,
        atMost: 1.02,
      }),
      { what: "its 95 % confidence interval, from", value: low },
      { what: "its 95 % confidence interval, to", value: high },
      { what: "without, median", value: median(times.without.slice(warmups)), unit: "ms" },
    ];
  },
};

async function dial(pair: Pair): Promise<number> {
  const time = await pair.dial({ highWaterMark: highWaterMarks.latency });
  await pair.hangUp();
  return time;
}
