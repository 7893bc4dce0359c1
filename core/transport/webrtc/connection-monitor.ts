import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";

// ICE takes about 5 s to notice a silence, so that a link is given up 15 s after the last byte.
const recoveryTimeoutMs = 10_000;
// Chromium tells WebRTC of a new network half a second after it has told the page. A round that begins before has no
// address to offer, and what it says over the dead path makes SCTP wait longer when there is a path.
const networkDelayMs = 600;

/** What {@link monitorConnection} asks and tells. */
export interface ConnectionMonitorEvents {
  /** Whether the link has opened. */
  isOpen(): boolean;
  /** There is a path, for the first time or again. */
  working(): void;
  /** It broke before it was open. */
  failed(): void;
  interrupted(reason: BonevalueError): void;
  restored(): void;
  /** A new round may help. */
  restart(): void;
  lost(reason: BonevalueError): void;
}

/** Where a platform tells that it has a network again. Outside of browsers none does. */
export type Platform = Partial<Pick<EventTarget, "addEventListener" | "removeEventListener">>;

/** Follows an RTCPeerConnection's state, from trouble to recovery or loss; returns its undo. */
export function monitorConnection(
  pc: RTCPeerConnection,
  clock: Clock,
  events: ConnectionMonitorEvents,
  platform: Platform = globalThis,
): () => void {
  let undoTimeout: (() => void) | undefined;
  let undoDelay: (() => void) | undefined;

  function onInterrupted(): void {
    if (undoTimeout) return;
    const reason = new BonevalueError("disconnected", "Nothing arrives from the peer; the link tries to recover.");
    undoTimeout = clock.after(recoveryTimeoutMs, () => {
      events.lost(new BonevalueError("disconnected", "Nothing has arrived from the peer for 15 s. Dial it again."));
    });
    events.interrupted(reason);
    events.restart();
  }

  function onRecovered(): void {
    if (!undoTimeout) return;
    undoTimeout();
    undoTimeout = undefined;
    events.restored();
  }

  /** The path that we had is likely to be gone with the network that we had, long before ICE misses it. */
  function onOnline(): void {
    undoDelay?.();
    undoDelay = clock.after(networkDelayMs, () => events.isOpen() && events.restart());
  }

  pc.onconnectionstatechange = () => {
    const state = pc.connectionState;
    if (state === "connected") {
      events.working();
      onRecovered();
    } else if (state === "failed" || state === "disconnected") {
      if (events.isOpen()) onInterrupted();
      else if (state === "failed") events.failed();
    } else if (state === "closed") {
      events.lost(new BonevalueError("disconnected", "The other side has closed the link."));
    }
  };

  platform.addEventListener?.("online", onOnline);

  return () => {
    undoTimeout?.();
    undoDelay?.();
    platform.removeEventListener?.("online", onOnline);
    pc.onconnectionstatechange = null;
  };
}
