import { microtask } from "../clock.ts";
import { BonevalueError } from "../errors.ts";
import type { Peer } from "../peer.ts";
import { maxLossySize } from "../wire/frames.ts";
import { pack } from "../wire/pack.ts";
import { type CallContext, callPeer, type OutgoingRequest, type PeerCall } from "./call-peer.ts";
import type { Module } from "./module.ts";
import { discard, type Payload, packPayloads } from "./streams/payload.ts";
import { countOf, unsendable } from "./wire-errors.ts";

/** How a one-way message is sent. */
export interface NotifyOptions {
  readonly keepAlive?: boolean | undefined;
  readonly lossy?: boolean | undefined;
  readonly verified?: boolean | undefined;
}

// How long a message waits for its link, in ms.
const linkTimeoutMs = 30_000;

// What a message that waits takes beside its bytes.
const messageOverhead = 256;

/** Sends a request that gets no reply. */
export type Notify = (targets: readonly Peer[], module: Module, request: unknown, options: NotifyOptions) => void;

/**
 * Creates the sender of one-way messages. A message waits until a link is open and the peer takes more of them; all that
 * wait for one peer are within `bytesPerPeer`. `failed` is called when messages cannot be sent: once for all that fail
 * alike at the same time.
 */
export function createNotify(context: CallContext, failed: (error: BonevalueError) => void): Notify {
  const { limits, refusal } = context;
  // Bytes of the messages that wait, by peer.
  const waitingBytes = new Map<string, number>();
  // Lossy messages that wait for a link, by peer and module: a later one replaces the earlier one.
  const waitingLossy = new Map<string, PeerCall>();
  const failures = new Map<string, { readonly error: BonevalueError; count: number }>();

  function fail({ id }: Peer, error: BonevalueError): void {
    const key = `${id} ${error.code}`;
    const failure = failures.get(key) ?? { error, count: 0 };
    if (failures.size === 0) microtask(reportFailures);
    failures.set(key, failure);
    failure.count++;
  }

  function reportFailures(): void {
    const reported = [...failures.values()];
    failures.clear();
    for (const { error, count } of reported) {
      const { code, message, cause } = error;
      failed(count === 1 ? error : new BonevalueError(code, `${countOf(count)} were not sent. ${message}`, { cause }));
    }
  }

  function notifyLossy(peer: Peer, payload: Payload, request: OutgoingRequest): void {
    const key = `${peer.id} ${request.module.name}`;
    const waiting = waitingLossy.get(key);
    if (waiting) {
      waiting.payload = payload;
      return;
    }
    const message = callPeer(context, peer, payload, request);
    if (message.status !== "queued") return;
    waitingLossy.set(key, message);
    message.onDequeued = () => waitingLossy.delete(key);
  }

  function notify(peer: Peer, payload: Payload, request: OutgoingRequest): void {
    const size = payload.packed.size + messageOverhead;
    const waiting = waitingBytes.get(peer.id) ?? 0;
    if (waiting > 0 && waiting + size > limits.bytesPerPeer) {
      const error = busyError();
      discard(payload, error);
      fail(peer, error);
      return;
    }
    const message = callPeer(context, peer, payload, request);
    if (message.status !== "queued") return;
    waitingBytes.set(peer.id, waiting + size);
    message.onDequeued = () => {
      const left = waitingBytes.get(peer.id)! - size;
      if (left > 0) waitingBytes.set(peer.id, left);
      else waitingBytes.delete(peer.id);
    };
  }

  /** The payload for each of `count` peers. A lossy message is never sent again, so it cannot carry a stream. */
  function packFor(count: number, value: unknown, isLossy: boolean): readonly Payload[] {
    const outgoing = {
      name: "request",
      code: "invalid-request",
      depth: limits.depth,
      size: limits.messageSize,
    } as const;
    if (!isLossy) return packPayloads(value, outgoing, count);
    const packed = pack(value, outgoing);
    if (packed.size > maxLossySize) throw tooLargeError(packed.size);
    return new Array(count).fill({ packed, streams: [] });
  }

  return (targets, module, value, { keepAlive, lossy = false, verified }) => {
    const request: OutgoingRequest = {
      module,
      kind: lossy ? "lossy" : "message",
      timeout: linkTimeoutMs,
      keepAlive,
      verified,
      settle(peer, outcome) {
        if ("error" in outcome) fail(peer, outcome.error);
      },
    };
    const send = lossy ? notifyLossy : notify;
    try {
      packFor(targets.length, value, lossy).forEach((payload, index) => {
        const peer = targets[index]!;
        const error = refusal(peer);
        if (error) {
          discard(payload, error);
          fail(peer, error);
        } else send(peer, payload, request);
      });
    } catch (error) {
      failed(unsendable(error, "invalid-request"));
    }
  };
}

function busyError(): BonevalueError {
  return new BonevalueError("busy", "Too many messages wait for the peer: use calls, and await their replies.");
}

function tooLargeError(size: number): BonevalueError {
  return new BonevalueError(
    "too-large",
    `A lossy message has at most ${maxLossySize} bytes, this one ${size}. Send less, or omit \`lossy\`.`,
  );
}
