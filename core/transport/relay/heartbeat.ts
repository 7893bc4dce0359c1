import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";

// Interrupted after 5 to 7.5 s, and lost after 15 s at most, as with WebRTC.
const intervalMs = 2_500;
const interruptedAfter = 2;
const lostAfter = 5;

/** The events of a heartbeat. */
export interface HeartbeatEvents {
  ping(): void;
  interrupted(reason: BonevalueError): void;
  restored(): void;
  lost(reason: BonevalueError): void;
}

/** Watches whether anything arrives on a link. */
export interface Heartbeat {
  /** Something has arrived. */
  onRecord(): void;
  stop(): void;
}

/**
 * Sends a ping every 2.5 s while nothing arrives, beginning with the second time. Then it reports the interruption, and in
 * the end the loss. It counts ticks, because timers of hidden pages are late: between two ticks the other side has had the
 * time to answer.
 */
export function createHeartbeat(clock: Clock, events: HeartbeatEvents): Heartbeat {
  let silentTicks = 0;
  let undo = clock.after(intervalMs, tick);

  function tick(): void {
    undo = clock.after(intervalMs, tick);
    if (silentTicks > 0) events.ping();
    if (silentTicks === interruptedAfter)
      events.interrupted(
        new BonevalueError("disconnected", "Nothing arrives from the peer through the relay. The link may recover."),
      );
    // Last: it stops the heartbeat.
    if (silentTicks++ === lostAfter)
      events.lost(
        new BonevalueError("disconnected", "Nothing arrives from the peer through the relay. Call again to redial it."),
      );
  }

  return {
    onRecord() {
      if (silentTicks > interruptedAfter) events.restored();
      silentTicks = 0;
    },
    stop: () => undo(),
  };
}
