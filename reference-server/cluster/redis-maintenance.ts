import { type Clock, every } from "../clock.ts";
import type { BusMessage, Login, NodeEvents } from "./cluster.ts";
import type { RedisBus } from "./redis-bus.ts";
import type { RedisCommands } from "./redis-commands.ts";
import { ignoreError } from "./redis-connection.ts";
import type { Ownership } from "./redis-ownership.ts";
import type { Recovery } from "./redis-recovery.ts";

/**
 * The periodic work of a node: it renews its lease, writes its peers again, and releases the peers of nodes whose lease has
 * expired.
 */
export interface Maintenance {
  /** Takes a lease and starts the periodic work. Rejects while Redis is unreachable. */
  start(): Promise<void>;
  /** Writes the owned peers again at once. */
  rewrite(): void;
  stop(): void;
}

/** Dependencies and times (ms) of {@link Maintenance}. */
export interface MaintenanceParts {
  readonly node: string;
  readonly commands: RedisCommands;
  readonly ownership: Ownership;
  readonly recovery: Recovery;
  readonly bus: RedisBus;
  readonly events: NodeEvents;
  readonly lease: number;
  readonly rewriteEvery: number;
  readonly clock: Clock;
  /** Measures the difference to the clock of Redis again. */
  readonly syncClock: () => Promise<void>;
}

// Peers in one announcement.
const announceBatch = 500;

/** Creates the maintenance of one node; call `start` to begin. */
export function createMaintenance(parts: MaintenanceParts): Maintenance {
  const { node, commands, ownership, recovery, bus, events, lease, clock, syncClock } = parts;
  const stops: (() => void)[] = [];

  async function renewLease(): Promise<void> {
    await syncClock();
    if (await commands.renewLease(node, lease)) return;
    await rewrite();
    recovery.start();
  }

  async function rewrite(): Promise<void> {
    await commands.renewLease(node, lease);
    await ownership.rewrite();
    bus.announceLoss();
  }

  async function cleanUpNodes(): Promise<void> {
    const { alive, ended } = await commands.nodes();
    // After an outage every lease has expired, so an expired lease proves nothing until recovery is complete.
    if (!recovery.isComplete) return;
    recovery.setKnownNodes(alive);
    for (const dead of ended)
      if (dead !== node && (await commands.lockCleanup(dead, node, lease))) await cleanUpNode(dead);
  }

  /** Releases the peers of a node whose lease has expired, and announces them as lost. */
  async function cleanUpNode(dead: string): Promise<void> {
    const released = [...(await commands.peersOfNode(dead))].map(async ([id, group]): Promise<Login | undefined> => {
      const epoch = await commands.release(group, id, dead);
      return epoch === undefined ? undefined : { id, group, node: dead, epoch };
    });
    const logins = (await Promise.all(released)).filter((login) => login !== undefined);
    for (let at = 0; at < logins.length; at += announceBatch) {
      const message: BusMessage = { kind: "leave", logins: logins.slice(at, at + announceBatch), lost: true };
      bus.broadcast(message);
      events.message(message);
    }
    await commands.removeNode(dead);
  }

  return {
    async start() {
      await syncClock();
      await commands.renewLease(node, lease);
      recovery.setKnownNodes((await commands.nodes()).alive);
      stops.push(
        every(clock, lease / 4, () => renewLease().catch(ignoreError)),
        every(clock, lease / 6, () => cleanUpNodes().catch(ignoreError)),
        every(clock, parts.rewriteEvery, () => rewrite().catch(ignoreError)),
      );
    },
    rewrite: () => void rewrite().catch(ignoreError),
    stop() {
      for (const stop of stops) stop();
    },
  };
}
