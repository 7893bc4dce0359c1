import { randomUUID } from "node:crypto";
import * as v from "valibot";
import { type Clock, every, systemClock } from "../clock.ts";
import type { Log } from "../log.ts";
import { type BusMessage, busMessage, type Cluster, type ClusterNode, type Login, type NodeEvents } from "./cluster.ts";
import { createCounters } from "./counters.ts";
import { connectEngine } from "./redis-engine.ts";
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
}

const defaultTimes: RedisTimes = { lease: 13_000, settle: 1_500, rewrite: 60_000, alone: 1_000 };

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
  // Databases of one engine share its channels.
  const space = `bonevalue:${new URL(url).pathname.slice(1) || 0}`;
  const everybody = `${space}:everybody`;
  const channelOf = (node: string) => `${space}:to:${node}`;
  // What this node answers for: its truth, while the engine's may be lost.
  const mine = new Map<string, Login>();
  const alone = createCounters(clock);
  let lastEpoch = 0;
  let reachable = true;
  // Whether the engine holds what all nodes have to say, and who they were when it last did.
  let settled = true;
  let others: readonly string[] = [];
  // Something could not be told to the others.
  let unsaid = false;
  let stopSettling = () => {};
  let stopAsking = () => {};

  const engine = await connectEngine(url, [channelOf(id), everybody], {
    message: hear,
    back() {
      reachable = true;
      stopAsking();
      log.info({}, "the cluster's engine is back");
      work(rewrite());
      settle();
    },
    failed(error) {
      if (!reachable) return;
      reachable = false;
      log.warn({ error: error.message }, "the cluster's engine is out of reach; this node goes on alone");
      // Word of a revocation cannot come: it is looked for.
      stopAsking = every(clock, times.alone, events.stale);
    },
  });
  await engine.lease(id, times.lease);
  const stops = [
    every(clock, times.lease / 4, () => renew().catch(quiet)),
    every(clock, times.lease / 6, () => look().catch(quiet)),
    every(clock, times.rewrite, () => rewrite().catch(quiet)),
  ];

  function work(task: Promise<unknown>): void {
    task.catch(quiet);
  }

  // ── messages ──

  function hear(text: string): void {
    const envelope = v.safeParse(sentMessage, parse(text));
    if (!envelope.success)
      log.warn({ issue: envelope.issues[0].message }, "a message from another node was not understood");
    else if (envelope.output.from !== id) deliver(envelope.output.message);
  }

  function deliver(message: BusMessage): void {
    if (message.kind === "taken" && mine.get(message.id)?.epoch === message.epoch) {
      mine.delete(message.id);
      work(engine.strike(id, message.id));
    }
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

  /** To all, this node included. */
  function announce(message: BusMessage): void {
    publish(everybody, message);
    events.message(message);
  }

  // ── owning peers ──

  function nextEpoch(): number {
    lastEpoch = Math.max(lastEpoch + 1, clock.now());
    return lastEpoch;
  }

  async function claim(user: string, peer: string): Promise<{ login: Login; resumed: boolean }> {
    const login = { id: peer, user, node: id, epoch: nextEpoch() };
    const earlier = mine.get(peer);
    mine.set(peer, login);
    try {
      const [, { epoch, before }] = await Promise.all([
        engine.enlist(id, peer, user),
        engine.claim(user, peer, id, login.epoch),
      ]);
      const claimed = { ...login, epoch };
      if (mine.get(peer) === login) mine.set(peer, claimed);
      if (before) send(before.node, { kind: "taken", id: peer, epoch: before.epoch });
      return { login: claimed, resumed: before !== undefined };
    } catch {
      if (earlier) send(id, { kind: "taken", id: peer, epoch: earlier.epoch });
      return { login, resumed: earlier !== undefined };
    }
  }

  async function release(login: Login): Promise<boolean> {
    if (mine.get(login.id)?.epoch === login.epoch) mine.delete(login.id);
    try {
      const had = await engine.release(login.user, login.id, id, login.epoch);
      if (had === undefined) return false;
      // Unless it has come back here meanwhile.
      if (!mine.has(login.id)) await engine.strike(id, login.id);
      return true;
    } catch {
      return !mine.has(login.id);
    }
  }

  // ── the engine's memory, and ours ──

  async function renew(): Promise<void> {
    if (await engine.lease(id, times.lease)) return;
    await rewrite();
    settle();
  }

  /** Writes down again what this node answers for. What another has taken over meanwhile ends here. */
  async function rewrite(): Promise<void> {
    await engine.lease(id, times.lease);
    const listed = await engine.listOf(id);
    await Promise.all([...mine.values()].map(rewriteOne));
    // What was released while the engine was out of reach.
    const left = [...listed].filter(([peer]) => !mine.has(peer));
    await Promise.all(left.map(([peer, user]) => engine.release(user, peer, id)));
    await Promise.all(left.map(([peer]) => !mine.has(peer) && engine.strike(id, peer)));
    if (!unsaid) return;
    unsaid = false;
    publish(everybody, { kind: "stale" });
  }

  async function rewriteOne(login: Login): Promise<void> {
    const [, { epoch, before }] = await Promise.all([
      engine.enlist(id, login.id, login.user),
      engine.keep(login.user, login.id, id, login.epoch),
    ]);
    if (mine.get(login.id) !== login) return;
    if (epoch > login.epoch) {
      deliver({ kind: "taken", id: login.id, epoch: login.epoch });
    } else if (before === undefined) {
      publish(everybody, { kind: "come", login });
    } else if (before.node !== id) {
      send(before.node, { kind: "taken", id: login.id, epoch: before.epoch });
    }
  }

  async function look(): Promise<void> {
    const { alive, ended } = await engine.nodes();
    if (settled) others = alive;
    await sweep(engine, ended, id, times.lease, announce);
  }

  /** Reads again, once the nodes that were there before have had the time to write, or their leases are over. */
  function settle(): void {
    settled = false;
    const end = clock.now() + times.lease;
    next(wait);

    function next(step: () => void): void {
      stopSettling();
      stopSettling = clock.after(times.settle, step);
    }
    function wait(): void {
      work(
        engine.nodes().then(({ alive }) => {
          const back = new Set(alive);
          next(clock.now() < end && !others.every((other) => back.has(other)) ? wait : done);
        }),
      );
    }
    function done(): void {
      settled = true;
      events.stale();
    }
  }

  return {
    id,
    claim,
    release,
    async online(users) {
      try {
        const found = await Promise.all(users.map(async (user) => loginsOf(user, await engine.peersOf(user))));
        return { logins: found.flat(), complete: settled };
      } catch {
        const asked = new Set(users);
        return { logins: [...mine.values()].filter(({ user }) => asked.has(user)), complete: false };
      }
    },
    send,
    broadcast: (message) => publish(everybody, message),
    take: (key, limit, period) => engine.take(key, limit, period).catch(() => alone.take(key, limit, period)),
    giveBack: (key) => engine.giveBack(key).catch(() => alone.giveBack(key)),
    async leave() {
      stopSettling();
      stopAsking();
      for (const stop of stops) stop();
      // With peers left, the lease runs out first: they may be on their way to another node.
      if (mine.size === 0) await engine.forget(id).catch(quiet);
      await engine.close().catch(quiet);
    },
  };
}

const sentMessage = v.object({ from: v.string(), message: busMessage });

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
