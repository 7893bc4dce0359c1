import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";

// ICE notices a silence after about 5 s, so a link ends 15 s after the last byte.
const recoveryTimeoutMs = 10_000;
// Chromium tells WebRTC about a new network half a second later than the page. An earlier round has no address to offer,
// and its packets on the dead path make SCTP wait longer once there is a path.
const networkDelayMs = 600;

/** The state and the events of {@link monitorConnection}. */
export interface ConnectionMonitorEvents {
  /** Whether the link has opened. */
  isOpen(): boolean;
  /** There is a path. */
  working(): void;
  /** The connection failed before the link opened. */
  failed(): void;
  interrupted(reason: BonevalueError): void;
  restored(): void;
  /** An ICE restart may help. */
  restart(): void;
  lost(reason: BonevalueError): void;
}

/** The target of the `online` event. Only browsers have one. */
export type Platform = Partial<Pick<EventTarget, "addEventListener" | "removeEventListener">>;

/** Monitors the state of an RTCPeerConnection: interruption, recovery and loss. Returns its undo. */
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
    const reason = new BonevalueError("disconnected", "Nothing arrives from the peer. The link tries to recover.");
    undoTimeout = clock.after(recoveryTimeoutMs, () => {
      events.lost(
        new BonevalueError(
          "disconnected",
          "Nothing has arrived from the peer for 15 s. Call again to redial the peer.",
        ),
      );
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

  /** With another network the old path no longer works, but ICE notices that only later. */
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
      events.lost(new BonevalueError("disconnected", "The peer has closed the link. Call again to redial it."));
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
