import { createClient, type Discovery, type DiscoveryEvents } from "../../core/index.ts";
import { createLive, set } from "../../core/reactive.ts";

/** What changes cost while many peers are known, in µs, and how many subscribers heard of one. */
export interface StateCosts {
  readonly arrival: number;
  readonly departure: number;
  readonly heard: number;
  readonly linkChange: number;
}

const turns = 2_000;

/**
 * A client that knows `peers`, and `subscribers` to the lists of users. A change is timed until all that it causes has
 * happened.
 */
export async function measureState(peers: number, subscribers: number): Promise<StateCosts> {
  const { client, events } = await clientOf(peers);
  let heard = 0;
  for (let index = 0; index < subscribers; index++) {
    client.get({ user: userOf(index) }).peers.subscribe(() => heard++);
  }
  heard = 0;
  const newcomer = { id: "newcomer", name: userOf(0) };
  const times = { arrival: 0, departure: 0 };
  for (let turn = 0; turn < turns; turn++) {
    times.arrival += await timeOf(() => events.peerConnect(newcomer));
    times.departure += await timeOf(() => events.peerDisconnect(newcomer.id, false));
  }
  return {
    arrival: (times.arrival * 1_000) / turns,
    departure: (times.departure * 1_000) / turns,
    heard: heard / (2 * turns),
    linkChange: await costOfLinkChange(peers, subscribers),
  };
}

/** Link states are values of their own, one for each peer: as the pool keeps them. */
async function costOfLinkChange(peers: number, subscribers: number): Promise<number> {
  const states = Array.from({ length: peers }, () => createLive({ status: "idle" }));
  let heard = 0;
  for (const state of states.slice(0, subscribers)) state.subscribe(() => heard++);
  const time = await timeOf(() => {
    for (let turn = 0; turn < turns; turn++) set(states[turn % subscribers]!, { status: "open" });
  });
  return (time * 1_000) / turns;
}

async function clientOf(peers: number) {
  let told: DiscoveryEvents | undefined;
  const known = Array.from({ length: peers }, (_, index) => ({ id: `peer ${index}`, name: userOf(index) }));
  const discovery: Discovery = {
    open(_host, _credentials, events) {
      told = events;
      const users = [...new Set(known.map(({ name }) => name))];
      queueMicrotask(() => events.online({ self: { id: "own", username: "own" }, users, peers: known }));
      const refuse = () => Promise.reject(new Error("There is no server here."));
      return {
        signal() {},
        invite: refuse,
        requestToken: refuse,
        claimToken: refuse,
        removeUser: refuse,
        changePassword: refuse,
        close: async () => {},
      };
    },
  };
  const client = createClient({ discovery });
  await client.connect("bench", "own", "");
  return { client, events: told! };
}

/** Twenty peers a user. */
function userOf(index: number): string {
  return `user ${index % 500}`;
}

async function timeOf(task: () => void): Promise<number> {
  const begun = performance.now();
  task();
  // Lists tell their subscribers in a microtask.
  await Promise.resolve();
  await Promise.resolve();
  return performance.now() - begun;
}
