import { randomUUID } from "node:crypto";
import { type Clock, every } from "./clock.ts";
import { coalesce } from "./coalesce.ts";
import type { Log } from "./log.ts";
import type { Store } from "./store/store.ts";

/** Checks that the store works, and that no unknown server uses it. */
export interface StoreMonitor {
  /** Whether the store accepts writes now. The result may be a second old. */
  check(): Promise<boolean>;
  close(): Promise<void>;
}

/** Dependencies of a {@link StoreMonitor}. */
export interface StoreMonitorParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether this server is part of a cluster, so that other servers may use the store. */
  readonly isClustered: boolean;
}

// The time between two heartbeats, and after which a server without one counts as gone, in ms.
const heartbeatEvery = 5_000;
const goneAfter = 3 * heartbeatEvery;
const maxResultAge = 1_000;

/** Starts a monitor: it writes a heartbeat to the store every five seconds. */
export function createStoreMonitor({ store, clock, log, isClustered }: StoreMonitorParts): StoreMonitor {
  const id: string = randomUUID();
  const startedAt = clock.now();
  const warned = new Set<string>();
  let isWorking = true;
  let checkedAt = Number.NEGATIVE_INFINITY;
  const check = coalesce(async () => {
    const worked = await write().then(
      () => true,
      (error: unknown) => {
        if (isWorking) log.error({ error }, "the store does not accept writes; retrying");
        return false;
      },
    );
    if (worked && !isWorking) log.info({}, "the store accepts writes again");
    isWorking = worked;
    checkedAt = clock.now();
  });

  async function write(): Promise<void> {
    if (store.heartbeat === undefined) {
      await store.sessionsOf(["nobody"]);
      return;
    }
    const now = clock.now();
    // A server that has crashed before this one started does not count.
    const others = await store.heartbeat(id, now, Math.max(startedAt, now - goneAfter));
    if (!isClustered) for (const other of others) warn(other);
  }

  function warn(other: string): void {
    if (warned.has(other)) return;
    warned.add(other);
    log.warn(
      { server: other },
      "another server uses the same store, and users of the two do not see each other: stop it, or run both with `cluster` (--cluster)",
    );
  }

  const stop = every(clock, heartbeatEvery, check);
  void check();
  return {
    async check() {
      if (Math.abs(clock.now() - checkedAt) > maxResultAge) await check();
      return isWorking;
    },
    async close() {
      stop();
      await store.endHeartbeat?.(id).catch((error: unknown) => log.debug({ error }, "the heartbeat was not removed"));
    },
  };
}
