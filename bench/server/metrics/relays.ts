import { median } from "../../statistics.ts";
import type { ServerKind } from "../child.ts";
import { type Client, closeAll, connect, mapConcurrently, sleep } from "../clients.ts";
import { startServerUnderTest } from "../server-under-test.ts";
import { withSqlite } from "../stores.ts";
import type { TestUser } from "../test-users.ts";
import type { ServerMetric } from "./metric.ts";

const pairs = 20;
const inFlight = 16;
const warming = 1_000;
const span = 3_000;
const rounds = 5;
const kinds: readonly ServerKind[] = ["bonevalue", "bare", "PeerJS"];

/** Pairs that hand 1 KB back and forth, several at a time. */
export const relays: ServerMetric = {
  name: "relays",
  title: "1 KB relays a second with the trust check",
  unit: "/s",
  goal: { ofBare: 0.7 },
  measure: () =>
    withSqlite(pairs, 2, async (store, groups) => {
      const numbers: Record<ServerKind, number[]> = { bonevalue: [], bare: [], PeerJS: [] };
      for (let round = 0; round < rounds; round++)
        for (const kind of kinds) numbers[kind].push(await oneRound(kind, store, groups));
      return { bonevalue: median(numbers.bonevalue), bare: median(numbers.bare), PeerJS: median(numbers.PeerJS) };
    }),
};

async function oneRound(kind: ServerKind, store: string, groups: readonly TestUser[][]): Promise<number> {
  const target = await startServerUnderTest(kind, { store });
  const clients = await mapConcurrently(groups.flat(), 8, (user) => connect(target, user));
  let relayed = 0;
  for (let at = 0; at < clients.length; at += 2) handBackAndForth(clients[at]!, clients[at + 1]!, () => relayed++);
  await sleep(warming);
  relayed = 0;
  const began = performance.now();
  await sleep(span);
  const rate = (relayed * 1_000) / (performance.now() - began);
  await closeAll(clients);
  await target.kill();
  return rate;
}

function handBackAndForth(one: Client, two: Client, count: () => void): void {
  const signal = { text: "x".repeat(1_000) };
  for (const [here, there] of [
    [one, two],
    [two, one],
  ] as const)
    here.onSignal = () => {
      count();
      here.relay(there.id, signal);
    };
  for (let at = 0; at < inFlight; at++) one.relay(two.id, signal);
}
