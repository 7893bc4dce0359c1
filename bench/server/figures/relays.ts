import { median } from "../../statistics.ts";
import type { Kind } from "../child.ts";
import type { Person } from "../crowd.ts";
import { withFile } from "../places.ts";
import { type Client, connect, dismiss, each, passed } from "../swarm.ts";
import { startTarget } from "../target.ts";
import type { Figure } from "./figure.ts";

const pairs = 20;
const inFlight = 16;
const warming = 1_000;
const span = 3_000;
const rounds = 5;
const kinds: readonly Kind[] = ["bonevalue", "bare", "PeerJS"];

/** Pairs that hand 1 KB back and forth, several at a time. */
export const relays: Figure = {
  name: "relays",
  title: "1 KB relays a second with the trust check",
  unit: "/s",
  goal: { ofBare: 0.7 },
  measure: () =>
    withFile(pairs, 2, async (store, groups) => {
      const numbers: Record<Kind, number[]> = { bonevalue: [], bare: [], PeerJS: [] };
      for (let round = 0; round < rounds; round++)
        for (const kind of kinds) numbers[kind].push(await oneRound(kind, store, groups));
      return { bonevalue: median(numbers.bonevalue), bare: median(numbers.bare), PeerJS: median(numbers.PeerJS) };
    }),
};

async function oneRound(kind: Kind, store: string, groups: readonly Person[][]): Promise<number> {
  const target = await startTarget(kind, { store });
  const clients = await each(groups.flat(), 8, (person) => connect(target, person));
  let relayed = 0;
  for (let at = 0; at < clients.length; at += 2) handBackAndForth(clients[at]!, clients[at + 1]!, () => relayed++);
  await passed(warming);
  relayed = 0;
  const began = performance.now();
  await passed(span);
  const rate = (relayed * 1_000) / (performance.now() - began);
  await dismiss(clients);
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
