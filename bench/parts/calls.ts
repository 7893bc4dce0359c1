import { median } from "../statistics.ts";
import { highWaterMarks, type Metric, type Part } from "./part.ts";

const sequentialCalls = 250;
const concurrency = 256;
const durationMs = 500;

const libraries = [
  "raw",
  "raw, batched",
  "bonevalue",
  "PeerJS",
  "simple-peer",
  "Trystero",
  "birpc",
  "capnweb",
] as const;

/** A bare echo that batches messages is the platform's limit for concurrent calls. */
const rateGoals: Metric["goals"] = [
  { against: "raw, batched", atLeast: 0.95 },
  { against: "birpc", atLeast: 6 },
  { against: "capnweb", atLeast: 10 },
  { against: "Trystero", atLeast: 15 },
];

function callPart(name: string, kind: "text" | "order", request: string): Part {
  return {
    name,
    libraries,
    highWaterMark: highWaterMarks.latency,
    warm: true,
    metrics: [
      {
        key: "p50",
        title: `One call at a time with ${request}, median`,
        unit: "ms",
        better: "less",
        goals: [{ against: "raw", atMost: 1.15 }],
      },
      {
        key: "rate",
        title: `Calls a second with ${request}, ${concurrency} in flight, each reply starting the next`,
        unit: "calls/s",
        better: "more",
        goals: rateGoals,
      },
    ],
    async measure({ caller }) {
      const times = await caller.evaluate(([kind, count]) => bench.callSequentially(kind, count), [
        kind,
        sequentialCalls,
      ] as const);
      const rate = await caller.evaluate(([kind, calls, time]) => bench.callConcurrently(kind, calls, time), [
        kind,
        concurrency,
        durationMs,
      ] as const);
      return { p50: median(times), rate };
    },
  };
}

/** Echoes of a text of 100 characters. */
export const calls: Part = callPart("calls", "text", "a text of 100 bytes");

/** Echoes of a structured value. */
export const structuredCalls: Part = callPart("structured-calls", "order", "a value of five fields");

/** One-way messages. Page clocks differ by more than a message takes, so a round trip of two is measured. */
export const messages: Part = {
  name: "messages",
  libraries: ["raw", "bonevalue", "PeerJS", "simple-peer", "Trystero"],
  highWaterMark: highWaterMarks.latency,
  warm: true,
  metrics: [
    {
      key: "p50",
      title: "A one-way message and another in return, median",
      unit: "ms",
      better: "less",
      goals: [{ against: "raw", atMost: 1.15 }],
    },
  ],
  async measure({ caller }) {
    return { p50: median(await caller.evaluate((count) => bench.exchangeSequentially(count), sequentialCalls)) };
  },
};
