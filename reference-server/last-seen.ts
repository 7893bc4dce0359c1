import { type Clock, every } from "./clock.ts";
import type { ServerLimits } from "./limits.ts";
import type { Log } from "./log.ts";
import type { Presence } from "./presence.ts";
import type { Store } from "./store/store.ts";

/** Records when sessions last had a socket, in batches. */
export interface LastSeen {
  /** Records that the session of a peer was in use until now. */
  touch(peer: string): void;
  /** Writes the last batch and stops. */
  close(): Promise<void>;
}

const writeEvery = 5_000;
const hour = 60 * 60_000;

/** The time between two records of a session in use, in ms: well below `age`, the lifetime of a session. */
export function touchInterval(age: number): number {
  return Math.min(hour, age / 4);
}

/** Creates a recorder. `ages`: the lifetimes of sessions in ms. `presence`: the peers that have a socket now. */
export function createLastSeen(
  store: Store,
  clock: Clock,
  log: Log,
  ages: Pick<ServerLimits, "sessionAge" | "guestAge">,
  presence: Pick<Presence, "ids" | "guestIds">,
): LastSeen {
  const peers = new Set<string>();

  async function write(): Promise<void> {
    const batch = [...peers];
    peers.clear();
    if (batch.length === 0) return;
    await store.seen(batch, clock.now()).catch((error: unknown) => {
      for (const peer of batch) peers.add(peer);
      log.warn({ error }, "the last use of sessions cannot be recorded; retrying");
    });
  }

  const touchAll = (online: () => readonly string[]) => {
    for (const peer of online()) peers.add(peer);
  };
  const stops = [
    every(clock, writeEvery, write),
    every(clock, touchInterval(ages.sessionAge), () => touchAll(presence.ids)),
    every(clock, touchInterval(ages.guestAge), () => touchAll(presence.guestIds)),
  ];
  return {
    touch: (peer) => peers.add(peer),
    async close() {
      for (const stop of stops) stop();
      touchAll(presence.ids);
      await write();
    },
  };
}
