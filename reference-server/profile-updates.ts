import { profileIntervalMs } from "../core/protocol/profile.ts";
import type { Clock } from "./clock.ts";
import type { Outbox } from "./outbox.ts";

/** The changed profiles of other peers, on their way to one socket. */
export interface ProfileUpdates {
  /** Sends the profile of a peer, as JSON, within 200 ms. It replaces one that waits. */
  add(peer: string, profile: string): void;
  /** The peer has gone, or was announced with its newest profile. */
  drop(peer: string): void;
  /** Call when the socket has closed. */
  stop(): void;
}

// The limit of one batch, and of the unsent bytes before it.
const maxBatchBytes = 64 * 1024;

/** Creates the updates of a socket: one batch every 200 ms, with the newest profile of each peer. */
export function createProfileUpdates(outbox: Pick<Outbox, "send" | "unsentBytes">, clock: Clock): ProfileUpdates {
  // The texts are those of the presence view, so a slow socket holds no copies.
  const waiting = new Map<string, string>();
  let undoTimer: (() => void) | undefined;

  function schedule(): void {
    undoTimer ??= clock.after(profileIntervalMs, () => {
      undoTimer = undefined;
      if (outbox.unsentBytes <= maxBatchBytes) sendBatch();
      if (waiting.size > 0) schedule();
    });
  }

  function sendBatch(): void {
    const batch: string[] = [];
    let bytes = 0;
    for (const [peer, profile] of waiting) {
      const update = `[${JSON.stringify(peer)},${profile}]`;
      bytes += Buffer.byteLength(update);
      if (batch.length > 0 && bytes > maxBatchBytes) break;
      batch.push(update);
      waiting.delete(peer);
    }
    if (batch.length > 0) outbox.send(`{"type":"peerUpdates","data":[${batch.join(",")}]}`);
  }

  return {
    add(peer, profile) {
      waiting.set(peer, profile);
      schedule();
    },
    drop: (peer) => void waiting.delete(peer),
    stop: () => undoTimer?.(),
  };
}
