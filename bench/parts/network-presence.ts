import type { Page } from "playwright";
import type { PresenceKind } from "../page/presence.ts";
import { percentile } from "../statistics.ts";
import { highWaterMarks, type Part } from "./part.ts";
import { pause } from "./speed.ts";

const rate = 60;
const time = 8_000;
const settling = 1_500;
const hub = "0".repeat(32);
const others = Array.from({ length: 30 }, (_, index) => (index + 1).toString(16).padStart(32, "f"));

let rooms = 0;

/**
 * A value that changes often, on a cable with latency and loss. The raw channel is the platform's limit: it neither orders nor
 * repeats messages.
 */
export const networkPresence: Part = {
  name: "network-presence",
  libraries: ["raw", "bonevalue"],
  highWaterMark: highWaterMarks.latency,
  warm: false,
  metrics: [
    {
      key: "sent",
      title: `A value that changes ${rate} times a second, at ${others.length} peers: age of the newest that they have, 95th percentile`,
      unit: "ms",
      better: "less",
      goals: [{ atMost: 75 }],
    },
    {
      key: "received",
      title: `The same of ${others.length} peers at one, 95th percentile`,
      unit: "ms",
      better: "less",
      goals: [{ atMost: 75 }],
    },
  ],
  async measure({ name, caller, callee }) {
    const kind = name as PresenceKind;
    const room = `presence ${++rooms}`;
    await callee.evaluate(([kind, room, own, hub]) => bench.presence.openPeers(kind, room, own, hub), [
      kind,
      room,
      others,
      hub,
    ] as const);
    await caller.evaluate(([kind, room, own, all]) => bench.presence.openHub(kind, room, own, all), [
      kind,
      room,
      hub,
      others,
    ] as const);
    const [sent, received] = [await ages(caller, callee), await ages(callee, caller)];
    for (const page of [caller, callee]) await page.evaluate(() => bench.presence.close());
    return { sent: percentile(sent, 0.95), received: percentile(received, 0.95) };
  },
};

/** The ages at `to` of what `from` sets. */
async function ages(from: Page, to: Page): Promise<readonly number[]> {
  const changing = from.evaluate(([rate, time]) => bench.presence.change(rate, time), [
    rate,
    time + 2 * settling,
  ] as const);
  await pause(settling);
  const found = await to.evaluate((time) => bench.presence.ages(time), time);
  await changing;
  return found;
}
