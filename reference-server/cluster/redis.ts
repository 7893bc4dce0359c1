import { randomUUID } from "node:crypto";
import { type Clock, every, systemClock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { BusMessage, Cluster, ClusterNode, Login, NodeEvents, Online } from "./cluster.ts";
import { createCounters } from "./counters.ts";
import { createRedisBus } from "./redis-bus.ts";
import { connectRedis, ignoreError } from "./redis-commands.ts";
import { createMaintenance } from "./redis-maintenance.ts";
import { createOwnership } from "./redis-ownership.ts";
import { createRecovery } from "./redis-recovery.ts";

/** Times in ms. */
export interface RedisTimes {
  /** After so long without a sign of life a node's peers are announced as lost. More than a client's grace. */
  readonly lease: number;
  /** What the other nodes get, after the engine's return, to write down their peers again. */
  readonly settle: number;
  /** How often they do so in any case. */
  readonly rewrite: number;
  /** How often a node reads again while the engine is out of reach. */
  readonly alone: number;
  /** How long the engine may take for an answer. */
  readonly patience: number;
}

const defaultTimes: RedisTimes = { lease: 13_000, settle: 1_500, rewrite: 60_000, alone: 1_000, patience: 2_000 };

/** Several servers that share a Redis or Valkey. */
export function redisCluster(
  url: string,
  log: Log,
  times: RedisTimes = defaultTimes,
  clock: Clock = systemClock,
): Cluster {
  return { join: (events) => join(url, log, times, clock, events) };
}

async function join(url: string, log: Log, times: RedisTimes, clock: Clock, events: NodeEvents): Promise<ClusterNode> {
  const id: string = randomUUID();
  const alone = createCounters(clock);
  let reachable = true;
  let stopAsking = () => {};
  // How far the engine's clock is ahead of ours: of two claims the later must hold, also where nodes' clocks differ.
  let ahead = 0;

  const { lease, settle, patience } = times;
  const settling = createRecovery({
    ...{ clock, settle, lease },
    alive: async () => (await engine.nodes()).alive,
    done: events.stale,
  });
  // Databases of one engine share its channels.
  const space = `bonevalue:${new URL(url).pathname.slice(1) || 0}`;
  const post = createRedisBus({ node: id, space, log, deliver, publish: (...sent) => engine.publish(...sent) });
  const { send, broadcast } = post;
  const engine = await connectRedis(url, post.channels, { message: post.hear, back, failed }, { patience, clock });
  const owned = createOwnership({ engine, now: () => clock.now() + ahead, node: id, send, broadcast });
  const upkeep = createMaintenance({
    ...{ node: id, engine, owned, settling, post, events, lease, clock, setClock },
    rewriteEvery: times.rewrite,
  });
  await upkeep.begin();

  async function setClock(): Promise<void> {
    ahead = (await engine.time()) - clock.now();
  }

  function deliver(message: BusMessage): void {
    if (message.kind === "taken") owned.taken(message.id, message.epoch);
    events.message(message);
  }

  function failed(error: Error): void {
    if (!reachable) return;
    reachable = false;
    // One of two wires may be back before the other, and find an empty engine.
    settling.lost();
    log.warn({ error: error.message }, "the cluster's engine is out of reach; this node goes on alone");
    // Word of a revocation cannot come: it is looked for.
    stopAsking = every(clock, times.alone, events.stale);
  }

  function back(): void {
    reachable = true;
    stopAsking();
    log.info({}, "the cluster's engine is back");
    upkeep.rewrite();
    settling.begin();
  }

  async function online(users: readonly string[]): Promise<Online> {
    try {
      const found = await Promise.all(users.map(async (user) => loginsOf(user, await engine.peersOf(user))));
      return { logins: found.flat(), complete: settling.settled };
    } catch {
      return { logins: owned.of(users), complete: false };
    }
  }

  async function leave(): Promise<void> {
    upkeep.stop();
    // With peers left, the lease runs out first: they may be on their way to another node.
    if (owned.isEmpty()) await engine.forget(id).catch(ignoreError);
    await engine.close().catch(ignoreError);
    // Last: an engine that fails to the end has this node ask again.
    settling.stop();
    stopAsking();
  }

  return {
    id,
    claim: owned.claim,
    release: owned.release,
    online,
    send,
    broadcast,
    take: (key, limit, period) => engine.take(key, limit, period).catch(() => alone.take(key, limit, period)),
    giveBack: (key) => engine.giveBack(key).catch(() => alone.giveBack(key)),
    leave,
  };
}

function loginsOf(user: string, peers: ReadonlyMap<string, { node: string; epoch: number }>): Login[] {
  return [...peers].map(([id, owner]) => ({ id, user, ...owner }));
}
