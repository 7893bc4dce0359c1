import { parseArgs } from "node:util";
import { lossyTrouble } from "../tools/lossy-network.ts";
import type { Name } from "./contestants/all.ts";
import { type NetworkStage, openNetworkStage } from "./network/stage.ts";
import { marks } from "./parts/part.ts";
import { short } from "./report/table.ts";
import { median, paired, percentile, summarise } from "./statistics.ts";

/** `node bench/network.ts [--rounds N] [--latency MS] [--loss SHARE]`: our link beside the raw channel on a bad cable. */
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    latency: { type: "string", default: "25" },
    loss: { type: "string", default: "0.02" },
  },
});

const contestants: readonly Name[] = ["raw", "bonevalue"];
const dials = 5;
const callsPerSecond = 50;
const calling = 12_000;
const settling = 2_000;
const streaming = 10_000;

/** What one contestant does in one round. Times in ms. */
interface Turn {
  readonly dials: readonly number[];
  readonly p50: number;
  readonly p99: number;
  /** KB/s. */
  readonly speed: number;
}

const figures = [
  { key: "dial", title: "a link and its first reply, median", unit: "ms", of: (turn: Turn) => median(turn.dials) },
  { key: "p50", title: `a call, ${callsPerSecond} a second, median`, unit: "ms", of: (turn: Turn) => turn.p50 },
  { key: "p99", title: "the same, 99th percentile", unit: "ms", of: (turn: Turn) => turn.p99 },
  { key: "speed", title: "one stream", unit: "KB/s", of: (turn: Turn) => turn.speed },
] as const;

const trouble = lossyTrouble();
if (trouble) throw new Error(trouble);
const stage = await openNetworkStage({ latency: Number(values.latency), loss: Number(values.loss), seed: 1 });
const turns = new Map<Name, Turn[]>(contestants.map((name) => [name, []]));
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    // Who begins changes from round to round.
    const order = round % 2 === 0 ? contestants : [...contestants].reverse();
    for (const name of order) turns.get(name)!.push(await takeTurn(stage, name));
  }
} finally {
  await stage.close();
}
report();

async function takeTurn(stage: NetworkStage, name: Name): Promise<Turn> {
  const times: number[] = [];
  for (let dial = 0; dial < dials; dial++) {
    if (dial > 0) await stage.hangUp();
    times.push(await stage.dial(name, marks.bulk));
  }
  const calls = await stage.caller.evaluate(([rate, time]) => bench.sporadic(rate, time), [
    callsPerSecond,
    calling,
  ] as const);
  const speed = await streamSpeed(stage);
  await stage.hangUp();
  return { dials: times, p50: percentile(calls, 0.5), p99: percentile(calls, 0.99), speed };
}

async function streamSpeed({ caller, callee }: NetworkStage): Promise<number> {
  await callee.evaluate(() => bench.arrival.reset());
  await caller.evaluate((size) => bench.send(size), Number.POSITIVE_INFINITY);
  await rest(settling);
  const before = await callee.evaluate(() => bench.arrival.progress());
  await rest(streaming);
  const after = await callee.evaluate(() => bench.arrival.progress());
  await caller.evaluate(() => bench.finish());
  return (after.bytes - before.bytes) / (after.at - before.at);
}

function report(): void {
  console.log(`${values.latency} ms each way, ${Number(values.loss) * 100} % of packets lost, ${values.rounds} rounds`);
  console.log(`| figure | ${contestants.join(" | ")} | ours to raw, each round |\n|---|---|---|---|`);
  for (const { title, unit, of } of figures) {
    const [raw, ours] = contestants.map((name) => turns.get(name)!.map(of)) as [number[], number[]];
    const ratios = paired(ours, raw).map(short).join(" ");
    const cells = [raw, ours].map((numbers) => {
      const { median, least, most } = summarise(numbers);
      return `${short(median)} (${short(least)} – ${short(most)}) ${unit}`;
    });
    console.log(`| ${title} | ${cells.join(" | ")} | ${short(median(paired(ours, raw)))}: ${ratios} |`);
  }
}

function rest(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time));
}
