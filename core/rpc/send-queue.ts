import { protocolError } from "../wire/protocol-error.ts";
import type { PeerCall } from "./call-peer.ts";

// Messages that the channel has not taken, in bytes. Others wait, and can still be counted and refused.
const maxUnsentBytes = 1_024 * 1_024;

/** The requests of one link that may not be sent yet. */
export interface SendQueue {
  /** How many calls and messages wait. Lossy messages do not count. */
  readonly size: number;
  /** How many messages the peer may not have handled. 0 for an older version, which does not say. */
  readonly unacknowledged: number;
  /** How many messages the channel has not taken yet. */
  readonly unsent: number;
  /** Sends a request now, or when its turn comes. */
  add(call: PeerCall): void;
  /** The channel has taken a message, or it cannot be sent. */
  onSent(message: PeerCall, wasSent: boolean): void;
  /** The peer has handled `handled` messages in all. Throws `protocol` if the number contradicts earlier ones. */
  acknowledge(handled: number): void;
  /** Sends what may be sent now. To be called when the peer's hello was read. */
  flush(): void;
  /** The waiting requests. Ending one removes it. */
  readonly waiting: readonly PeerCall[];
}

/**
 * Flow control for one-way messages.
 *
 * A message gets no reply, so a sender could outrun the peer's handlers without noticing. The peer's hello says how many
 * messages it handles at once: the *window*. The peer counts the messages that it has handled in `ack` frames. While a
 * whole window of messages is sent and not acknowledged, the next ones wait here. So do all calls behind them: our requests
 * start in the order in which they were made. The channel is given little more than it can take, so that the memory that
 * messages take is counted where they wait (see notify.ts).
 *
 * Until the hello was read, the window is one message. Lossy messages need no window; they wait for the hello only, since
 * the peer drops messages that arrive before it.
 */
export function createSendQueue(window: () => number | undefined, transmit: (call: PeerCall) => void): SendQueue {
  const queue = new Set<PeerCall>();
  const lossy = new Set<PeerCall>();
  let sent = 0;
  let acknowledged = 0;
  let unsent = 0;
  let unsentBytes = 0;

  function isReady({ request: { kind } }: PeerCall): boolean {
    if (kind === "call") return true;
    const size = window();
    if (kind === "lossy") return size !== undefined;
    return sent - acknowledged < (size ?? 1) && unsentBytes < maxUnsentBytes;
  }

  function send(call: PeerCall): void {
    if (call.request.kind === "message") {
      sent++;
      unsent++;
      unsentBytes += call.payload.packed.size;
    }
    transmit(call);
  }

  function wait(call: PeerCall, list: Set<PeerCall>): void {
    list.add(call);
    call.dequeue = () => list.delete(call);
  }

  function flush(): void {
    for (const list of [lossy, queue]) {
      for (const call of list) {
        if (!isReady(call)) break;
        list.delete(call);
        send(call);
      }
    }
  }

  return {
    get size() {
      return queue.size;
    },
    get unacknowledged() {
      return window() === Number.POSITIVE_INFINITY ? 0 : sent - acknowledged;
    },
    get unsent() {
      return unsent;
    },
    add(call) {
      const list = call.request.kind === "lossy" ? lossy : queue;
      if (list.size === 0 && isReady(call)) send(call);
      else wait(call, list);
    },
    onSent(message, wasSent) {
      unsent--;
      unsentBytes -= message.payload.packed.size;
      if (!wasSent) sent--;
      flush();
    },
    acknowledge(handled) {
      if (handled < acknowledged || handled > sent) throw protocolError("an unexpected frame");
      acknowledged = handled;
      flush();
    },
    flush,
    get waiting() {
      return [...lossy, ...queue];
    },
  };
}
