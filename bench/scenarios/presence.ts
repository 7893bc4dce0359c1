import type { Page } from "playwright";
import type { LoopbackEnvironment } from "../environment.ts";
import type { PresenceKind } from "../page/presence.ts";
import { processOf } from "../process-of.ts";
import { paired, summarise } from "../statistics.ts";
import { shareDuring } from "../task-share.ts";
import { limited, type Observation, type Scenario } from "./scenario.ts";

const rate = 60;
const time = 5_000;
const rounds = 3;
const stalledFor = 30_000;
const hub = "0".repeat(32);
const others = Array.from({ length: 30 }, (_, index) => (index + 1).toString(16).padStart(32, "f"));

/** Presence, beside a bare data channel that carries the same values. */
export const presence: Scenario = {
  name: "presence",
  title: `A value that changes ${rate} times a second: from one page to ${others.length} peers, and from these to one page`,
  async run(environment) {
    const found: Record<PresenceKind, Shares[]> = { raw: [], bonevalue: [] };
    for (let round = 0; round < rounds; round++) {
      const kinds: PresenceKind[] = round % 2 === 0 ? ["raw", "bonevalue"] : ["bonevalue", "raw"];
      for (const kind of kinds) found[kind].push(await measureShares(kind, environment));
    }
    const of = (kind: PresenceKind, key: keyof Shares) => found[kind].map((shares) => shares[key]);
    const toRaw = (key: keyof Shares) => summarise(paired(of("bonevalue", key), of("raw", key))).median;
    const stalled = await bytesForStalledPeer(environment);
    return [
      { what: "share of the main thread of one that sends to all, raw", value: summarise(of("raw", "sending")).median },
      limited("the same with presence, against raw", toRaw("sending"), "", { atMost: 3 }),
      {
        what: "share of the main thread of one that receives from all, raw",
        value: summarise(of("raw", "receiving")).median,
      },
      limited("the same with presence, against raw", toRaw("receiving"), "", { atMost: 3 }),
      limited("peers that have the latest value in the end", Math.min(...of("bonevalue", "upToDate")), "", {
        atLeast: others.length * 2,
      }),
      limited(`bytes buffered for a peer that is stopped for ${stalledFor / 1_000} s`, stalled / 1_024, "KiB", {
        atMost: 64,
      }),
    ] satisfies Observation[];
  },
};

interface Shares {
  readonly sending: number;
  readonly receiving: number;
  readonly upToDate: number;
}

async function measureShares(kind: PresenceKind, environment: LoopbackEnvironment): Promise<Shares> {
  const [one, many] = await openPages(kind, environment, others);
  let last = 0;
  const sending = await shareDuring(one, async () => {
    last = Math.ceil(await change(one));
  });
  await rest(500);
  const sent = await many.evaluate(() => bench.presence.newest());
  let changes = 0;
  const receiving = await shareDuring(one, async () => {
    changes = await change(many);
  });
  await rest(500);
  const received = await one.evaluate(() => bench.presence.newest());
  await Promise.all([one.close(), many.close()]);
  const latest = Math.floor(changes / others.length);
  const upToDate = [...sent.filter((number) => number >= last), ...received.filter((number) => number >= latest)]
    .length;
  return { sending, receiving, upToDate };
}

async function bytesForStalledPeer(environment: LoopbackEnvironment): Promise<number> {
  const [one, stalled] = await openPages("bonevalue", environment, others.slice(0, 1));
  const pid = await processOf(stalled);
  process.kill(pid, "SIGSTOP");
  let most = 0;
  const changing = one.evaluate(([rate, time]) => bench.presence.change(rate, time), [rate, stalledFor] as const);
  for (const until = performance.now() + stalledFor; performance.now() < until; await rest(500)) {
    most = Math.max(most, await one.evaluate(() => bench.presence.buffered()));
  }
  await changing;
  process.kill(pid, "SIGCONT");
  await Promise.all([one.close(), stalled.close()]);
  return most;
}

let rooms = 0;

async function openPages(
  kind: PresenceKind,
  environment: LoopbackEnvironment,
  peers: readonly string[],
): Promise<readonly [one: Page, many: Page]> {
  const room = `presence ${++rooms}`;
  const [one, many] = await Promise.all([environment.page(), environment.page()]);
  await many.evaluate(([kind, room, own, hub]) => bench.presence.openPeers(kind, room, own, hub), [
    kind,
    room,
    peers,
    hub,
  ] as const);
  await one.evaluate(([kind, room, own, all]) => bench.presence.openHub(kind, room, own, all), [
    kind,
    room,
    hub,
    peers,
  ] as const);
  await rest(1_000);
  return [one, many];
}

function change(page: Page): Promise<number> {
  return page.evaluate(([rate, time]) => bench.presence.change(rate, time), [rate, time] as const);
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
