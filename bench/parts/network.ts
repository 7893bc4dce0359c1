import { median, percentile } from "../statistics.ts";
import { networkPresence } from "./network-presence.ts";
import { highWaterMarks, type Part } from "./part.ts";
import { pause, speedDuring } from "./speed.ts";

const links = 5;
const callsPerSecond = 50;
const calling = 12_000;
const settling = 2_000;
const streaming = 10_000;

/** The cable of the published results: latency in ms each way, and the fraction of lost packets. */
export const badCable = { latency: 25, loss: 0.02 };

/** New links, calls and a stream on a cable with latency and loss. */
export const network: Part = {
  name: "network",
  libraries: ["raw", "bonevalue"],
  highWaterMark: highWaterMarks.bulk,
  warm: false,
  metrics: [
    { key: "dial", title: "A link and its first reply, median of five", unit: "ms", better: "less", goals: [] },
    { key: "p50", title: `Calls, ${callsPerSecond} a second, median`, unit: "ms", better: "less", goals: [] },
    {
      key: "p99",
      title: "The same, 99th percentile",
      unit: "ms",
      better: "less",
      goals: [{ against: "raw", atMost: 1.2 }],
    },
    { key: "speed", title: "One stream", unit: "KB/s", better: "more", goals: [{ against: "raw", atLeast: 0.9 }] },
  ],
  async measure(pair) {
    const times: number[] = [];
    for (let link = 0; link < links; link++) {
      if (link > 0) await pair.hangUp();
      times.push(await pair.dial({ highWaterMark: highWaterMarks.bulk }));
    }
    const { caller, callee } = pair;
    const calls = await caller.evaluate(([rate, time]) => bench.callAtRandom(rate, time), [
      callsPerSecond,
      calling,
    ] as const);
    await callee.evaluate(() => bench.received.reset());
    await caller.evaluate((size) => bench.send(size), Number.POSITIVE_INFINITY);
    await pause(settling);
    const speed = await speedDuring(pair, () => pause(streaming));
    await caller.evaluate(() => bench.finish());
    await pair.hangUp();
    return { dial: median(times), p50: percentile(calls, 0.5), p99: percentile(calls, 0.99), speed };
  },
};

/** All parts on a bad cable. */
export const networkParts: readonly Part[] = [network, networkPresence];
