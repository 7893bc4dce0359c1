import { createClient, type Discovery, type DiscoveryEvents } from "../../core/index.ts";
import { createLive, set } from "../../core/reactive.ts";

/** The cost of changes with many known peers, in µs, and the number of notified subscribers for each. */
export interface StateCosts {
  readonly connect: number;
  readonly disconnect: number;
  readonly notified: number;
  readonly linkChange: number;
}

const turns = 2_000;

/**
 * Measures a client with `peers`, and `subscribers` of the lists of users. The time of a change includes everything that it
 * causes.
 */
export async function measureState(peers: number, subscribers: number): Promise<StateCosts> {
  const { client, events } = await clientOf(peers);
  let notified = 0;
  for (let index = 0; index < subscribers; index++) {
    client.get({ user: userOf(index) }).peers.subscribe(() => notified++);
  }
  notified = 0;
  const newcomer = { id: "newcomer", name: userOf(0) };
  const times = { arrival: 0, disconnectTime: 0 };
  for (let turn = 0; turn < turns; turn++) {
    times.arrival += await timeOf(() => events.peerConnect(newcomer));
    times.disconnectTime += await timeOf(() => events.peerDisconnect(newcomer.id, false));
  }
  return {
    connect: (times.arrival * 1_000) / turns,
    disconnect: (times.disconnectTime * 1_000) / turns,
    notified: notified / (2 * turns),
    linkChange: await costOfLinkChange(peers, subscribers),
  };
}

/** Link states are values of their own, one for each peer: as the pool keeps them. */
async function costOfLinkChange(peers: number, subscribers: number): Promise<number> {
  const states = Array.from({ length: peers }, () => createLive({ status: "idle" }));
  let notified = 0;
  for (const state of states.slice(0, subscribers)) state.subscribe(() => notified++);
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
  // Lists notify their subscribers in a microtask.
  await Promise.resolve();
  await Promise.resolve();
  return performance.now() - begun;
}
