import { type Clock, every } from "./clock.ts";
import type { Log } from "./log.ts";
import type { Store } from "./store/store.ts";

/** Notes when sessions last had a socket, many at once. */
export interface LastSeen {
  /** A session's socket has gone. */
  left(peer: string): void;
  /** Writes what is outstanding, and stops. */
  close(): Promise<void>;
}

const writeEvery = 5_000;
const hour = 60 * 60_000;

/** How often a session in use is noted as seen, in ms: seldom, and yet long before it would be `age` ms old. */
export function noteEvery(age: number): number {
  return Math.min(hour, age / 4);
}

/** `online`: the peers that have a socket now. They are noted again and again, as sessions that end at this `age` need. */
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
      log.warn({ error }, "sessions could not be noted as seen; it will be tried again");
    });
  }

  const stopWriting = every(clock, writeEvery, write);
  const stopRewriting = every(clock, noteEvery(age), () => {
    for (const peer of online()) peers.add(peer);
  });
  return {
    left: (peer) => peers.add(peer),
    async close() {
      stopWriting();
      stopRewriting();
      for (const peer of online()) peers.add(peer);
      await write();
    },
  };
}
