import type { BonevalueError } from "../errors.ts";
import { Kind } from "../wire/frames.ts";
import { protocolError } from "../wire/protocol-error.ts";
import type { SendScheduler } from "../wire/send-scheduler.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";
import { createThrottle } from "./throttle.ts";
import { longestMessage } from "./wire-errors.ts";

/** Tells the peer which of its messages on one link were handled, and which were refused. */
export interface Receipts {
  /** The number of messages that have arrived and are not handled. */
  readonly unhandled: number;
  /** A message has arrived. Throws `protocol` if the peer has exceeded the window. */
  onReceived(): void;
  /** A message is handled: its handler has settled or takes long, or the message was refused. */
  onHandled(): void;
  /** Other frames leave now: an acknowledgement that is due joins them. */
  join(): void;
  /** Tells the peer that a message was refused, at most once a second for each module. */
  refuse(module: string, error: BonevalueError): void;
  stop(): void;
}

/** Options of {@link createReceipts}. */
export interface ReceiptsOptions {
  readonly scheduler: Pick<SendScheduler, "send">;
  readonly deadlines: Deadlines;
  /** How many messages the peer may send before it waits for an acknowledgement. */
  readonly window: number;
  /** Whether the peer understands `ack` and `refuse`, so that it keeps to the window. */
  isUnderstood(): boolean;
}

// How long an acknowledgement waits for other frames to join, in ms.
const ackDelayMs = 250;

/** Creates the receipts of one link, on which no message has arrived. */
export function createReceipts({ scheduler, deadlines, window, isUnderstood }: ReceiptsOptions): Receipts {
  let received = 0;
  let handled = 0;
  let acknowledged = 0;
  let timer: Deadline | undefined;
  let isJoining = false;
  const refusals = createThrottle<BonevalueError>(deadlines, (module, { code, message }, count) => {
    scheduler.send("control", [Kind.refuse, count, module, code, message.slice(0, longestMessage)]);
  });

  function acknowledge(): void {
    if (handled === acknowledged) return;
    acknowledged = handled;
    scheduler.send("control", [Kind.ack, handled]);
  }

  return {
    get unhandled() {
      return received - handled;
    },
    onReceived() {
      if (isUnderstood() && received - acknowledged >= window) throw protocolError("more than is allowed");
      received++;
    },
    onHandled() {
      handled++;
      if (!isUnderstood()) return;
      if ((handled - acknowledged) * 4 >= window) acknowledge();
      else {
        timer ??= deadlines.after(ackDelayMs, () => {
          timer = undefined;
          acknowledge();
        });
      }
    },
    join() {
      if (isJoining || handled === acknowledged || !isUnderstood()) return;
      isJoining = true;
      // Written when the channel takes it, it counts all messages that are handled in this turn.
      scheduler.send("control", () => {
        isJoining = false;
        if (handled === acknowledged) return undefined;
        acknowledged = handled;
        return [Kind.ack, handled];
      });
    },
    refuse(module, error) {
      if (isUnderstood()) refusals.add(module, error);
    },
    stop() {
      deadlines.stop(timer);
      refusals.stop();
    },
  };
}
