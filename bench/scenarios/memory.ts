import type { CDPSession, Page } from "playwright";
import type { BenchEnvironment, Pair } from "../environment.ts";
import { highWaterMarks } from "../parts/part.ts";
import { memoryOf, processOf } from "../process-of.ts";
import { limited, type Observation, type Scenario } from "./scenario.ts";

const MiB = 1_024 * 1_024;

/** A fast producer and a consumer that is slow at first. */
export const memory: Scenario = {
  name: "memory",
  title: "1 GiB to a consumer that reads 1 MiB/s for twenty seconds and then freely",
  run: (environment) => transfer(environment, 1_024 * MiB, { from: 0, time: 20_000, rate: MiB }),
};

/** A consumer that stops in the middle. */
export const pause: Scenario = {
  name: "pause",
  title: "200 MiB to a consumer that stops for 15 s in the middle",
  run: (environment) => transfer(environment, 200 * MiB, { from: 100 * MiB, time: 15_000, rate: 1 }),
};

interface Hold {
  readonly from: number;
  readonly time: number;
  readonly rate: number;
}

async function transfer(environment: BenchEnvironment, size: number, hold: Hold): Promise<Observation[]> {
  const pair = await environment.pair("bonevalue");
  await pair.dial({ highWaterMark: highWaterMarks.bulk });
  await warmUp(pair);
  const watched = await Promise.all([watch("sender", pair.caller), watch("receiver", pair.callee)]);

  await pair.callee.evaluate((hold) => bench.received.reset({ hashed: true, hold }), hold);
  const begun = performance.now();
  let over = false;
  const sent = pair.caller
    .evaluate((size) => bench.sendHashed(size), size)
    .finally(() => {
      over = true;
    });
  while (!over) await Promise.all([...watched.map(({ look }) => look()), rest(1_000)]);
  const took = performance.now() - begun;
  const expected = await sent;
  const { bytes } = await pair.callee.evaluate(() => bench.received.progress());
  const hash = await pair.callee.evaluate(() => bench.received.hash());
  await pair.close();

  return [
    limited("bytes that arrived", bytes, "", { atLeast: size, atMost: size }),
    limited("hashes that match", hash === expected ? 1 : 0, "", { atLeast: 1 }),
    { what: "time", value: took / 1_000, unit: "s" },
    ...watched.flatMap(({ observations }) => observations()),
  ];
}

/** Code and buffers that every transfer needs are there before the start. */
async function warmUp({ caller, callee }: Pair): Promise<void> {
  await callee.evaluate(() => bench.received.reset({ hashed: true }));
  await caller.evaluate((size) => bench.sendHashed(size), 64 * MiB);
}

interface Watch {
  look(): Promise<void>;
  observations(): Observation[];
}

/** Looks at a page's memory, without what has become garbage. */
async function watch(who: string, page: Page): Promise<Watch> {
  const [pid, session] = await Promise.all([processOf(page), page.context().newCDPSession(page)]);
  const start = await measure(pid, session);
  let most = start;
  let looks = 1;
  return {
    async look() {
      const now = await measure(pid, session);
      most = { process: Math.max(most.process, now.process), heap: Math.max(most.heap, now.heap) };
      looks++;
    },
    observations: () => [
      limited(`growth of the ${who}'s process at most`, (most.process - start.process) / MiB, "MiB", { atMost: 32 }),
      { what: `growth of the ${who}'s heap and buffers at most`, value: (most.heap - start.heap) / MiB, unit: "MiB" },
      { what: `the ${who}'s process at the start`, value: start.process / MiB, unit: "MiB" },
      { what: `looks at the ${who}`, value: looks },
    ],
  };
}

async function measure(pid: number, session: CDPSession): Promise<{ readonly process: number; readonly heap: number }> {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize, backingStorageSize = 0 } = (await session.send("Runtime.getHeapUsage")) as {
    usedSize: number;
    backingStorageSize?: number;
  };
  return { process: await memoryOf(pid), heap: usedSize + backingStorageSize };
}

function rest(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time));
}
