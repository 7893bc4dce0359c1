import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";

// ICE takes about 5 s to notice a silence, so that a link is given up 15 s after the last byte.
const recoverWithin = 10_000;
const restartAfter = 1_000;

/** What {@link watchHealth} asks and tells. */
export interface HealthEvents {
  /** Whether the link has opened. */
  isOpen(): boolean;
  /** There is a path, for the first time or again. */
  working(): void;
  /** There never was a path. */
  failed(): void;
  interrupted(reason: BonevalueError): void;
  restored(): void;
  /** A new round may help. */
  restart(): void;
  lost(reason: BonevalueError): void;
}

/** Follows an RTCPeerConnection's state, from trouble to recovery or loss; returns its undo. */
export function watchHealth(pc: RTCPeerConnection, clock: Clock, events: HealthEvents): () => void {
  let undoLost: (() => void) | undefined;
  let undoRestart: (() => void) | undefined;

  function interrupt(): void {
    if (undoLost) return;
    const reason = new BonevalueError("disconnected", "Nothing arrives from the peer; the link tries to recover.");
    undoLost = clock.after(recoverWithin, () => {
      events.lost(new BonevalueError("disconnected", "Nothing has arrived from the peer for 15 s. Dial it again."));
    });
    undoRestart = clock.after(restartAfter, events.restart);
    events.interrupted(reason);
  }

  function recover(): void {
    const wasInterrupted = undoLost !== undefined;
    undoTimers();
    if (wasInterrupted) events.restored();
  }

  function undoTimers(): void {
    undoLost?.();
    undoRestart?.();
    undoLost = undoRestart = undefined;
  }

  pc.onconnectionstatechange = () => {
    const state = pc.connectionState;
    if (state === "connected") {
      events.working();
      recover();
    } else if (state === "failed" || state === "disconnected") {
      if (events.isOpen()) interrupt();
      else if (state === "failed") events.failed();
    } else if (state === "closed") {
      events.lost(new BonevalueError("disconnected", "The other side has closed the link."));
    }
  };

  return () => {
    undoTimers();
    pc.onconnectionstatechange = null;
  };
}
