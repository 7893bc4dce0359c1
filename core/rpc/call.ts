import { isAmount, isSignal, wrongNumber } from "../check-arguments.ts";
import { BonevalueError } from "../errors.ts";
import type { Peer } from "../peer.ts";
import { type CallContext, callPeer, type Progress } from "./call-peer.ts";
import type { OngoingCall } from "./caller.ts";
import type { Module } from "./module.ts";
import { cancelled, collectReplies, type Outcome, type Replies } from "./replies.ts";
import { discard, type Payload, packPayloads } from "./streams/payload.ts";
import { unsendable } from "./thrown-error.ts";

/** How one call is made. */
export interface CallOptions {
  /**
   * Longest wait for a reply since the call, or since the last acknowledged byte of the request's streams, in ms. Travels
   * with the request. Ends with the reply. `Infinity`: none. Default 30 000.
   */
  timeout?: number | undefined;
  /** Cancels, and ends the call's streams also after the reply. Already aborted: nothing is sent. */
  signal?: AbortSignal | undefined;
  /** Keep the link open for `idleTimeout` after the reply, or only for a moment. Default: the client's. */
  keepAlive?: boolean | undefined;
  /** Bytes acknowledged by the far side, for requests that carry streams or files. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

const defaultTimeout = 30_000;

/** Asks each of `targets`, and collects one reply from each. */
export function call(
  calling: CallContext,
  targets: readonly Peer[],
  module: Module,
  request: unknown,
  { timeout = defaultTimeout, signal, keepAlive, onProgress }: CallOptions = {},
): Replies<any> {
  const { limits, refusal, noPeersError } = calling;
  const asked = new Map<Peer, OngoingCall>();
  let unsent = isAmount(timeout) ? wrongSignal(signal) : wrongNumber("timeout");
  const collector = collectReplies(targets, stop, tidy, () => unsent ?? noPeersError());

  function stop(peer: Peer, error: BonevalueError): void {
    asked.get(peer)?.end(error);
  }

  function abort(): void {
    const reason = cancelled(signal?.reason);
    collector.settleRest(reason);
    for (const call of asked.values()) call.end(reason);
  }

  function askOrRefuse(peer: Peer, payload: Payload): void {
    const error = unsent ?? (signal?.aborted ? cancelled(signal.reason) : refusal(peer));
    const settle = (outcome: Outcome) => collector.settle(peer, outcome);
    if (error) {
      discard(payload, error);
      settle({ error });
      return;
    }
    asked.set(peer, callPeer(calling, { peer, module, payload, timeout, keepAlive, onProgress, settle, rested: tidy }));
  }

  /** The signal is heard for as long as a stream is open. */
  function tidy(): void {
    if (!signal || unsent || collector.pending() > 0 || [...asked.values()].some(({ isOpen }) => isOpen())) return;
    signal.removeEventListener("abort", abort);
  }

  try {
    const { depth, messageSize: size } = limits;
    const payloads = packPayloads(request, { name: "request", code: "invalid-request", depth, size }, targets.length);
    payloads.forEach((payload, index) => {
      askOrRefuse(targets[index]!, payload);
    });
  } catch (error) {
    unsent = unsendable(error, "invalid-request");
    collector.settleRest(unsent);
  }
  // Who is told that a link is being made may have aborted.
  if (signal?.aborted) abort();
  else if (collector.pending() > 0) signal?.addEventListener("abort", abort, { once: true });
  return collector.replies;
}

function wrongSignal(given: unknown): BonevalueError | undefined {
  if (isSignal(given)) return undefined;
  return new BonevalueError("invalid-request", "`signal` has to be an AbortSignal.");
}
