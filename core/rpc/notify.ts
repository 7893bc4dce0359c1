import { BonevalueError } from "../errors.ts";
import type { Peer } from "../peer.ts";
import { pack } from "../wire/codec.ts";
import { maxLossySize } from "../wire/frames.ts";
import type { CallContext } from "./call-peer.ts";
import type { Module } from "./module.ts";
import { discard, isShared, type Payload, packPayloads } from "./streams/payload.ts";
import { unsendable } from "./thrown-error.ts";

/** How a one-way message is sent. */
export interface NotifyOptions {
  readonly keepAlive?: boolean | undefined;
  readonly lossy?: boolean | undefined;
}

// No message waits longer for its link, in ms.
const longestWait = 30_000;

/** Sends a request that nothing comes back for. */
export type Notify = (targets: readonly Peer[], module: Module, request: unknown, options: NotifyOptions) => void;

/** One-way messages. What cannot be sent at all goes to `failed`. */
export function createNotify(
  { pool, deadlines, limits, keepOpenMs, refusal }: CallContext,
  failed: (error: BonevalueError) => void,
): Notify {
  // Peers whose link a lossy message waits for: the next ones are dropped, since they could only be late.
  const knocking = new Set<string>();

  function tell(peer: Peer, module: Module, payload: Payload, { keepAlive, lossy = false }: NotifyOptions): void {
    if (lossy && knocking.has(peer.id)) return;
    if (lossy) knocking.add(peer.id);
    let waits = true;
    let undoDeadline: (() => void) | undefined;

    function leave(): void {
      waits = false;
      undoDeadline?.();
      knocking.delete(peer.id);
    }

    function fail(reason: BonevalueError): void {
      leave();
      discard(payload, reason);
      failed(reason);
    }

    const undo = pool.whenOpen(peer.id, {
      failFast: isShared(payload),
      begin({ service, keepOpen }) {
        leave();
        const keep = () => keepOpen(keepOpenMs(keepAlive));
        service.notify({ module: module.name, payload, over: keep }, lossy);
        keep();
      },
      fail,
    });
    // Nothing is timed on a link that is there.
    if (!waits) return;
    undoDeadline = deadlines.after(longestWait, () => {
      undo();
      fail(new BonevalueError("timeout", "No link to the peer for 30 s: send the message again when there is one."));
    });
  }

  /** The request for each of `count` peers. Nobody resends what is lossy, so that it cannot hold a stream. */
  function payloads(request: unknown, count: number, lossy: boolean | undefined): readonly Payload[] {
    const outgoing = { name: "request", code: "invalid-request", depth: limits.depth } as const;
    if (!lossy) return packPayloads(request, { ...outgoing, size: limits.messageSize }, count);
    const packed = pack(request, { ...outgoing, size: maxLossySize });
    return Array.from({ length: count }, () => ({ packed, streams: [] }));
  }

  function tellOrRefuse(peer: Peer, module: Module, payload: Payload, options: NotifyOptions): void {
    const error = refusal(peer);
    if (error) {
      discard(payload, error);
      failed(error);
    } else tell(peer, module, payload, options);
  }

  return (targets, module, request, options) => {
    try {
      const requests = payloads(request, targets.length, options.lossy);
      for (const [index, peer] of targets.entries()) tellOrRefuse(peer, module, requests[index]!, options);
    } catch (error) {
      failed(unsendable(error, "invalid-request"));
    }
  };
}
