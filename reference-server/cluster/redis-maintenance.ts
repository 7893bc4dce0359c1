import { type Clock, every } from "../clock.ts";
import type { NodeEvents } from "./cluster.ts";
import type { RedisBus } from "./redis-bus.ts";
import { ignoreError, type RedisCommands } from "./redis-commands.ts";
import type { Ownership } from "./redis-ownership.ts";
import type { Recovery } from "./redis-recovery.ts";
import { sweep } from "./redis-sweep.ts";

/** What a node does again and again, so that the engine holds what it has to say and nothing of nodes that have died. */
export interface Maintenance {
  /** Takes a lease, and keeps it from now on. Rejects while the engine is out of reach. */
  begin(): Promise<void>;
  /** Writes down at once what this node answers for. */
  rewrite(): void;
  stop(): void;
}

/** What upkeep stands on. Times in ms. */
export interface MaintenanceParts {
  readonly node: string;
  readonly engine: RedisCommands;
  readonly owned: Ownership;
  readonly settling: Recovery;
  readonly post: RedisBus;
  readonly events: NodeEvents;
  readonly lease: number;
  readonly rewriteEvery: number;
  readonly clock: Clock;
  /** Agrees on the time again. */
  readonly setClock: () => Promise<void>;
}

/** Upkeep that has not begun. */
export function createMaintenance(parts: MaintenanceParts): Maintenance {
  const { node, engine, owned, settling, post, events, lease, clock, setClock } = parts;
  const stops: (() => void)[] = [];

  async function renew(): Promise<void> {
    await setClock();
    if (await engine.lease(node, lease)) return;
    await rewrite();
    settling.begin();
  }

  async function rewrite(): Promise<void> {
    await engine.lease(node, lease);
    await owned.rewrite();
    post.makeUp();
  }

  async function look(): Promise<void> {
    const { alive, ended } = await engine.nodes();
    // Where the engine was away, so was everybody's lease.
    if (!settling.settled) return;
    settling.saw(alive);
    await sweep(engine, ended, node, lease, (message) => {
      post.broadcast(message);
      events.message(message);
    });
  }

  return {
    async begin() {
      await setClock();
      await engine.lease(node, lease);
      stops.push(
        every(clock, lease / 4, () => renew().catch(ignoreError)),
        every(clock, lease / 6, () => look().catch(ignoreError)),
        every(clock, parts.rewriteEvery, () => rewrite().catch(ignoreError)),
      );
    },
    rewrite: () => void rewrite().catch(ignoreError),
    stop() {
      for (const stop of stops) stop();
    },
  };
}
