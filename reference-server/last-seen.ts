import { type Clock, every } from "./clock.ts";
import type { Log } from "./log.ts";
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

/** Creates a recorder. `age`: the lifetime of a session in ms. `online`: returns the peers that have a socket now. */
export function createLastSeen(
  store: Store,
  clock: Clock,
  log: Log,
  age: number,
  online: () => readonly string[],
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

  const stopWriting = every(clock, writeEvery, write);
  const stopRewriting = every(clock, touchInterval(age), () => {
    for (const peer of online()) peers.add(peer);
  });
  return {
    touch: (peer) => peers.add(peer),
    async close() {
      stopWriting();
      stopRewriting();
      for (const peer of online()) peers.add(peer);
      await write();
    },
  };
}
