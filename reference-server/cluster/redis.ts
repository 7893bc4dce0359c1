import { randomUUID } from "node:crypto";
import { type Clock, every, systemClock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { BusMessage, Cluster, ClusterFailure, ClusterNode, Login, NodeEvents, Online } from "./cluster.ts";
import { createCounters } from "./counters.ts";
import { createRedisBus } from "./redis-bus.ts";
import type { Owner } from "./redis-commands.ts";
import { connectRedis, ignoreError, RedisErrorReply } from "./redis-connection.ts";
import { createMaintenance } from "./redis-maintenance.ts";
import { createOwnership } from "./redis-ownership.ts";
import { createRecovery } from "./redis-recovery.ts";

/** Times in ms. */
export interface RedisTimes {
  /** After this time without a renewal, the peers of a node are announced as lost. Longer than the grace of a client. */
  readonly lease: number;
  /** After an outage: time between two checks whether the other nodes have written their peers again. */
  readonly recoveryCheck: number;
  /** How often a node writes its peers again in any case. */
  readonly rewrite: number;
  /** How often a node reads trust and presence again while Redis is unreachable. */
  readonly pollWhileAlone: number;
  /** The time limit of one command. */
  readonly commandTimeout: number;
}

const defaultTimes: RedisTimes = {
  lease: 13_000,
  recoveryCheck: 1_500,
  rewrite: 60_000,
  pollWhileAlone: 1_000,
  commandTimeout: 2_000,
};

/** Creates a cluster of servers that share one Redis or Valkey. */
export function createRedisCluster(
  url: string,
  log: Log,
  times: RedisTimes = defaultTimes,
  clock: Clock = systemClock,
): Cluster {
  return { join: (events) => join(url, log, times, clock, events) };
}

async function join(url: string, log: Log, times: RedisTimes, clock: Clock, events: NodeEvents): Promise<ClusterNode> {
  const id: string = randomUUID();
  const localCounters = createCounters(clock);
  let failure: ClusterFailure | undefined;
  let stopPolling = () => {};
  // Epochs follow the clock of Redis: the later of two claims wins even if the clocks of two nodes differ.
  let clockOffset = 0;

  const { lease, recoveryCheck, commandTimeout } = times;
  const recovery = createRecovery({
    ...{ clock, lease, checkEvery: recoveryCheck },
    alive: async () => (await commands.nodes()).alive,
    onComplete: events.stale,
  });
  // All databases of one Redis share its channels, so the prefix names the database.
  const channelPrefix = `bonevalue:${new URL(url).pathname.slice(1) || 0}`;
  const bus = createRedisBus({
    node: id,
    channelPrefix,
    log,
    deliver,
    publish: (...sent) => commands.publish(...sent),
  });
  const { send, broadcast } = bus;
  const commands = await connectRedis(
    url,
    bus.channels,
    { message: bus.onMessage, restored: onRestored, failed: onFailed },
    { commandTimeout, clock },
  );
  const ownership = createOwnership({ commands, now: () => clock.now() + clockOffset, node: id, send, broadcast });
  const maintenance = createMaintenance({
    ...{ node: id, commands, ownership, recovery, bus, events, lease, clock, syncClock },
    rewriteEvery: times.rewrite,
  });
  try {
    await maintenance.start();
  } catch (error) {
    await leave();
    throw error;
  }

  async function syncClock(): Promise<void> {
    clockOffset = (await commands.time()) - clock.now();
  }

  function deliver(message: BusMessage): void {
    if (message.kind === "superseded") ownership.onSuperseded(message.id, message.epoch);
    if (message.kind === "join") recovery.addKnownNode(message.login.node);
    events.message(message);
  }

  function onFailed(error: Error): void {
    const earlier = failure;
    failure = error instanceof RedisErrorReply ? "refused" : "unreachable";
    if (earlier === failure || earlier === "refused") {
      failure = earlier;
      return;
    }
    // One of the two connections may be restored before the other, and find an empty Redis.
    recovery.onLost();
    log.warn(
      { error: error.message },
      failure === "refused"
        ? "Redis answers with an error; this node works alone until Redis accepts its commands"
        : "Redis is unreachable; this node works alone until it is back",
    );
    if (earlier !== undefined) return;
    // Revocations cannot be announced: poll for them.
    stopPolling = every(clock, times.pollWhileAlone, events.stale);
  }

  function onRestored(): void {
    failure = undefined;
    stopPolling();
    log.info({}, "Redis is available again");
    maintenance.rewrite();
    recovery.start();
  }

  async function online(groups: readonly string[]): Promise<Online> {
    try {
      const found = (
        await Promise.all(groups.map(async (group) => loginsOf(group, await commands.ownersOf(group))))
      ).flat();
      if (recovery.isComplete) return { logins: found, complete: true };
      // This node may not have written its own peers to an empty Redis yet.
      const written = new Set(found.map(({ id }) => id));
      return {
        logins: [...found, ...ownership.loginsOf(groups).filter(({ id }) => !written.has(id))],
        complete: false,
      };
    } catch {
      return { logins: ownership.loginsOf(groups), complete: false };
    }
  }

  async function leave(): Promise<void> {
    maintenance.stop();
    // With peers left, let the lease expire: the peers may be reconnecting to another node.
    if (ownership.isEmpty()) await commands.removeNode(id).catch(ignoreError);
    await commands.close().catch(ignoreError);
    // Last: a failure while closing starts them again.
    recovery.stop();
    stopPolling();
  }

  return {
    id,
    claim: ownership.claim,
    update: ownership.update,
    release: ownership.release,
    online,
    send,
    broadcast,
    consume: (key, limit, period) =>
      commands.consume(key, limit, period).catch(() => localCounters.consume(key, limit, period)),
    refund: (key) => commands.refund(key).catch(() => localCounters.refund(key)),
    failure: () => failure,
    leave,
  };
}

function loginsOf(group: string, peers: ReadonlyMap<string, Owner>): Login[] {
  return [...peers].map(([id, owner]) => ({ id, group, ...owner }));
}
