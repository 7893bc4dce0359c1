import type { BonevalueError } from "../errors.ts";
import type { Peer } from "../peer.ts";
import { pack } from "../wire/codec.ts";
import { maxLossySize } from "../wire/frames.ts";
import { type CallContext, callPeer, type OutgoingRequest, type PeerCall } from "./call-peer.ts";
import type { Module } from "./module.ts";
import { discard, type Payload, packPayloads } from "./streams/payload.ts";
import { unsendable } from "./wire-errors.ts";

/** How a one-way message is sent. */
export interface NotifyOptions {
  readonly keepAlive?: boolean | undefined;
  readonly lossy?: boolean | undefined;
}

// How long a message waits for its link, in ms.
const linkTimeoutMs = 30_000;

/** Sends a request that gets no reply. */
export type Notify = (targets: readonly Peer[], module: Module, request: unknown, options: NotifyOptions) => void;

/** Creates the sender of one-way messages. `failed` is called when one cannot be sent. */
export function createNotify(context: CallContext, failed: (error: BonevalueError) => void): Notify {
  const { limits, refusal } = context;
  // Lossy messages that wait for a link, by peer and module: a later one replaces the earlier one.
  const waitingLossy = new Map<string, PeerCall>();

  function notifyLossy(peer: Peer, payload: Payload, request: OutgoingRequest): void {
    const key = `${peer.id} ${request.module.name}`;
    const waiting = waitingLossy.get(key);
    if (waiting) {
      waiting.payload = payload;
      return;
    }
    const call = callPeer(context, peer, payload, {
      ...request,
      settle(peer, outcome) {
        waitingLossy.delete(key);
        request.settle(peer, outcome);
      },
    });
    if (call.status === "queued") waitingLossy.set(key, call);
  }

  /** The payload for each of `count` peers. A lossy message is never sent again, so it cannot carry a stream. */
  function packFor(count: number, value: unknown, isLossy: boolean): readonly Payload[] {
    const outgoing = { name: "request", code: "invalid-request", depth: limits.depth } as const;
    if (!isLossy) return packPayloads(value, { ...outgoing, size: limits.messageSize }, count);
    return new Array(count).fill({ packed: pack(value, { ...outgoing, size: maxLossySize }), streams: [] });
  }

  return (targets, module, value, { keepAlive, lossy = false }) => {
    const request: OutgoingRequest = {
      module,
      kind: lossy ? "lossy" : "message",
      timeout: linkTimeoutMs,
      keepAlive,
      settle(_, outcome) {
        if ("error" in outcome) failed(outcome.error);
      },
    };
    try {
      packFor(targets.length, value, lossy).forEach((payload, index) => {
        const peer = targets[index]!;
        const error = refusal(peer);
        if (error) {
          discard(payload, error);
          failed(error);
        } else if (lossy) notifyLossy(peer, payload, request);
        else callPeer(context, peer, payload, request);
      });
    } catch (error) {
      failed(unsendable(error, "invalid-request"));
    }
  };
}
