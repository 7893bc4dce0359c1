import { invalidAbortSignal, invalidNumber, isNonNegativeNumber } from "../check-arguments.ts";
import type { BonevalueError } from "../errors.ts";
import type { Peer } from "../peer.ts";
import {
  type CallContext,
  callPeer,
  endCall,
  type OutgoingRequest,
  type PeerCall,
  type Progress,
} from "./call-peer.ts";
import type { Module } from "./module.ts";
import { cancelled, collectReplies, type Replies } from "./replies.ts";
import { discard, type Payload, packPayloads } from "./streams/payload.ts";
import { unsendable } from "./wire-errors.ts";

/** How one call is made. */
export interface CallOptions {
  /**
   * Longest wait for a reply since the call, or since the last acknowledged byte of the request's streams, in ms. The
   * request carries it to the peer. It does not limit the streams of the answer. `Infinity`: none. Default 30 000.
   */
  timeout?: number | undefined;
  /** Cancels, and ends the call's streams also after the reply. Already aborted: nothing is sent. */
  signal?: AbortSignal | undefined;
  /** Whether the link stays open for `idleTimeout` after the reply. If false: for 1 s. Default: the client's. */
  keepAlive?: boolean | undefined;
  /** Sends nothing to a peer that is not verified, under any policy: its reply is `identity-mismatch`. Default false. */
  verified?: boolean | undefined;
  /** Called when a peer has read more of the request's streams and files. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

const defaultTimeout = 30_000;

/** Calls each of `targets`, and collects one reply from each. */
export function call(
  context: CallContext,
  targets: readonly Peer[],
  module: Module,
  value: unknown,
  { timeout = defaultTimeout, signal, keepAlive, verified, onProgress }: CallOptions = {},
): Replies<any> {
  const { limits, refusal, noPeersError } = context;
  const calls = new Map<Peer, PeerCall>();
  let unsent = isNonNegativeNumber(timeout) ? invalidAbortSignal(signal) : invalidNumber("timeout");
  const collector = collectReplies(targets, cancelPeer, stopListening, () => unsent ?? noPeersError());
  const request: OutgoingRequest = {
    module,
    kind: "call",
    timeout,
    keepAlive,
    verified,
    onProgress,
    settle: collector.settle,
    onOver: stopListening,
  };

  function cancelPeer(peer: Peer, error: BonevalueError): void {
    const call = calls.get(peer);
    if (call) endCall(call, error);
  }

  function abort(): void {
    const reason = cancelled(signal?.reason);
    collector.settleRest(reason);
    for (const call of calls.values()) endCall(call, reason);
  }

  function callOrRefuse(peer: Peer, payload: Payload): void {
    const error = unsent ?? (signal?.aborted ? cancelled(signal.reason) : refusal(peer));
    if (!error) {
      calls.set(peer, callPeer(context, peer, payload, request));
      return;
    }
    discard(payload, error);
    collector.settle(peer, { error });
  }

  /** Until the last stream of the call has ended, the signal can end it. */
  function stopListening(): void {
    if (!signal || unsent || collector.pending() > 0) return;
    for (const { status } of calls.values()) if (status !== "over") return;
    signal.removeEventListener("abort", abort);
  }

  try {
    const { depth, messageSize: size } = limits;
    const payloads = packPayloads(value, { name: "request", code: "invalid-request", depth, size }, targets.length);
    payloads.forEach((payload, index) => {
      callOrRefuse(targets[index]!, payload);
    });
  } catch (error) {
    unsent = unsendable(error, "invalid-request");
    collector.settleRest(unsent);
  }
  // The app's code that runs while a link is dialed may have aborted.
  if (signal?.aborted) abort();
  else if (collector.pending() > 0) signal?.addEventListener("abort", abort);
  return collector.replies;
}
