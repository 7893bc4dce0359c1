import { randomUUID } from "node:crypto";
import * as v from "valibot";
import { type Clock, every, systemClock } from "../clock.ts";
import type { Log } from "../log.ts";
import { type BusMessage, busMessage, type Cluster, type ClusterNode, type Login, type NodeEvents } from "./cluster.ts";
import { createCounters } from "./counters.ts";
import { connectEngine } from "./redis-engine.ts";
import { createOwnership } from "./redis-ownership.ts";
import { createSettling } from "./redis-settling.ts";
import { sweep } from "./redis-sweep.ts";

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

const sentMessage = v.object({ from: v.string(), message: busMessage });

async function join(url: string, log: Log, times: RedisTimes, clock: Clock, events: NodeEvents): Promise<ClusterNode> {
  const id: string = randomUUID();
  // Databases of one engine share its channels.
  const space = `bonevalue:${new URL(url).pathname.slice(1) || 0}`;
  const everybody = `${space}:everybody`;
  const channelOf = (node: string) => `${space}:to:${node}`;
  const alone = createCounters(clock);
  let reachable = true;
  // Something could not be told to the others.
  let unsaid = false;
  let stopAsking = () => {};
  // How far the engine's clock is ahead of ours: of two claims the later must hold, also where nodes' clocks differ.
  let ahead = 0;

  const { lease, settle, patience } = times;
  const settling = createSettling({
    ...{ clock, settle, lease },
    alive: async () => (await engine.nodes()).alive,
    done: events.stale,
  });
  const engine = await connectEngine(
    url,
    [channelOf(id), everybody],
    { message: hear, back, failed },
    { patience, clock },
  );
  const owned = createOwnership({ engine, now, node: id, send, broadcast: (message) => publish(everybody, message) });
  await setClock();
  await engine.lease(id, lease);
  const stops = [
    every(clock, lease / 4, () => renew().catch(quiet)),
    every(clock, lease / 6, () => look().catch(quiet)),
    every(clock, times.rewrite, () => rewrite().catch(quiet)),
  ];

  function now(): number {
    return clock.now() + ahead;
  }

  async function setClock(): Promise<void> {
    ahead = (await engine.time()) - clock.now();
  }

  // ── messages ──

  function hear(text: string): void {
    const envelope = v.safeParse(sentMessage, parse(text));
    if (!envelope.success)
      log.warn({ issue: envelope.issues[0].message }, "a message from another node was not understood");
    else if (envelope.output.from !== id) deliver(envelope.output.message);
  }

  function deliver(message: BusMessage): void {
    if (message.kind === "taken") owned.taken(message.id, message.epoch);
    events.message(message);
  }

  function publish(channel: string, message: BusMessage): void {
    engine.publish(channel, JSON.stringify({ from: id, message })).catch(() => {
      unsaid = true;
    });
  }

  function send(node: string, message: BusMessage): void {
    if (node === id) queueMicrotask(() => deliver(message));
    else publish(channelOf(node), message);
  }

  // ── the engine goes and comes back ──

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
    rewrite().catch(quiet);
    settling.begin();
  }

  async function renew(): Promise<void> {
    await setClock();
    if (await engine.lease(id, lease)) return;
    await rewrite();
    settling.begin();
  }

  async function rewrite(): Promise<void> {
    await engine.lease(id, lease);
    await owned.rewrite();
    if (!unsaid) return;
    unsaid = false;
    publish(everybody, { kind: "stale" });
  }

  async function look(): Promise<void> {
    const { alive, ended } = await engine.nodes();
    // Where the engine was away, so was everybody's lease.
    if (!settling.settled) return;
    settling.saw(alive);
    await sweep(engine, ended, id, lease, (message) => {
      publish(everybody, message);
      events.message(message);
    });
  }

  return {
    id,
    claim: owned.claim,
    release: owned.release,
    async online(users) {
      try {
        const found = await Promise.all(users.map(async (user) => loginsOf(user, await engine.peersOf(user))));
        return { logins: found.flat(), complete: settling.settled };
      } catch {
        return { logins: owned.of(users), complete: false };
      }
    },
    send,
    broadcast: (message) => publish(everybody, message),
    take: (key, limit, period) => engine.take(key, limit, period).catch(() => alone.take(key, limit, period)),
    giveBack: (key) => engine.giveBack(key).catch(() => alone.giveBack(key)),
    async leave() {
      for (const stop of stops) stop();
      // With peers left, the lease runs out first: they may be on their way to another node.
      if (owned.isEmpty()) await engine.forget(id).catch(quiet);
      await engine.close().catch(quiet);
      // Last: an engine that fails to the end has this node ask again.
      settling.stop();
      stopAsking();
    },
  };
}

function loginsOf(user: string, peers: ReadonlyMap<string, { node: string; epoch: number }>): Login[] {
  return [...peers].map(([id, owner]) => ({ id, user, ...owner }));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// The engine's own error event has told the log.
function quiet(): void {}
