import { openRelayEnvironment } from "../relay/environment.ts";
import { median } from "../statistics.ts";
import { transfer } from "./bulk.ts";
import { highWaterMarks, type Part } from "./part.ts";
import { pause } from "./speed.ts";

const megabyte = 1_000_000;
const callsPerSecond = 20;
const calling = 3_000;

const own = "bonevalue by relay";
const bare = "relay, unencrypted";

/** A link through the discovery server: its first reply, a stream, and calls beside it. */
export const relay: Part = {
  name: "relay",
  libraries: [bare, own],
  highWaterMark: highWaterMarks.latency,
  warm: false,
  open: openRelayEnvironment,
  metrics: [
    {
      key: "first",
      title:
        "From the sign-in of the caller to its first reply through the relay of the discovery server, where ICE fails at once",
      unit: "ms",
      better: "less",
      goals: [{ of: own, atMost: 1_500 }],
    },
    {
      key: "speed",
      title: "100 MB as one stream through the relay of the discovery server",
      unit: "MB/s",
      better: "more",
      goals: [{ of: own, against: bare, atLeast: 0.7 }],
    },
    {
      key: "p50",
      title: `A small call now and then (${callsPerSecond} a second) beside such a stream, median`,
      unit: "ms",
      better: "less",
      goals: [{ of: own, against: bare, atMost: 1.3 }],
    },
  ],
  async measure(pair) {
    const { caller } = pair;
    const first = await pair.dial({ highWaterMark: highWaterMarks.latency });
    await transfer(pair, 25 * megabyte);
    const speed = await transfer(pair, 100 * megabyte);
    await caller.evaluate((size) => bench.send(size), Number.POSITIVE_INFINITY);
    await pause(300);
    const times = await caller.evaluate(([rate, time]) => bench.callAtRandom(rate, time), [
      callsPerSecond,
      calling,
    ] as const);
    await caller.evaluate(() => bench.finish());
    await pair.hangUp();
    return { first, speed, p50: median(times) };
  },
};
