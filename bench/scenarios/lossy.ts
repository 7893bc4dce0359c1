import type { Page } from "playwright";
import { memoryOf, processOf } from "../process-of.ts";
import { limited, type Scenario } from "./scenario.ts";

const MiB = 1_024 * 1_024;
const rate = 60;
const time = 60_000;
const stalledAfter = 20_000;
const stalledFor = 10_000;

const sender = "0".repeat(32);
const receivers = Array.from({ length: 30 }, (_, index) => (index + 1).toString(16).padStart(32, "f"));
const stalled = receivers.slice(0, 1);
const others = receivers.slice(1);

/** Cursors, and a peer that hangs. */
export const lossy: Scenario = {
  name: "lossy",
  title: `${rate} lossy messages a second to ${receivers.length} peers for a minute; one of them is stopped for ${stalledFor / 1_000} s`,
  async run(environment) {
    const [from, to, toStalled] = await Promise.all([environment.page(), environment.page(), environment.page()]);
    await receive(to, others);
    await receive(toStalled, stalled);
    await from.evaluate(([room, own, all]) => bench.cursors.open(room, own, all), [
      "cursors",
      sender,
      receivers,
    ] as const);
    await from.evaluate((rate) => bench.cursors.send(rate, 2_000), rate);

    const [pid, stalledPid] = [await processOf(from), await processOf(toStalled)];
    const before = await settledMemory(from, pid);
    const sending = from.evaluate(([rate, time]) => bench.cursors.send(rate, time), [rate, time] as const);
    await rest(stalledAfter);
    process.kill(stalledPid, "SIGSTOP");
    await rest(stalledFor);
    const during = await settledMemory(from, pid);
    process.kill(stalledPid, "SIGCONT");
    const sent = await sending;
    await rest(500);
    const after = await settledMemory(from, pid);
    const live = await to.evaluate(() => bench.cursors.received());
    const late = await toStalled.evaluate(() => bench.cursors.received());
    await Promise.all([from.close(), to.close(), toStalled.close()]);

    return [
      limited("growth of the sender while a peer is stopped", (during - before) / MiB, "MiB", { atMost: 16 }),
      limited("growth of the sender in the end", (after - before) / MiB, "MiB", { atMost: 16 }),
      { what: "messages sent to each", value: sent },
      limited("least share that arrived at a peer that runs", least(live) / sent, "", { atLeast: 0.9 }),
      limited("messages by which the stopped peer is behind in the end", sent - (late[0]?.newest ?? 0), "", {
        atMost: rate,
      }),
      { what: "share that arrived at the stopped peer", value: (late[0]?.count ?? 0) / sent },
    ];
  },
};

function receive(page: Page, own: readonly string[]): Promise<void> {
  return page.evaluate(([room, from, own]) => bench.cursors.receive(room, from, own), [
    "cursors",
    sender,
    own,
  ] as const);
}

function least(received: readonly { readonly count: number }[]): number {
  return Math.min(...received.map(({ count }) => count));
}

async function settledMemory(page: Page, pid: number): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  await session.detach();
  return memoryOf(pid);
}

function rest(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time));
}
