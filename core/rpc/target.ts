import { requireFunction } from "../check-arguments.ts";
import { BonevalueError } from "../errors.ts";
import { guard } from "../events.ts";
import type { Peer } from "../peer.ts";
import { visitEach } from "../peers/each.ts";
import type { Query } from "../peers/query.ts";
import type { Live } from "../reactive.ts";
import type { CallOptions } from "./call.ts";
import { type Args, type Module, moduleOf, type ResponseOutput } from "./module.ts";
import type { Replies } from "./replies.ts";

/** How a message is sent. */
export interface MessageOptions {
  keepAlive?: boolean | undefined;
  /** Unordered, never resent, dropped when the link is congested: for cursors and the like. At most 1 KiB. */
  lossy?: boolean | undefined;
}

/**
 * Always returned by `get`, even when no peer answers to the query; equal queries give the same object while it is in
 * use. Survives disconnection. `*`, `Us` and aliases may name nobody; any other string is a peer id, and a peer named by
 * id always replies: an unknown one, or ourselves, with `unknown-peer` under the name "". While `offline` every target
 * replies, and `first()` rejects, with `not-connected`; while `reconnecting`, calls that need a new link wait.
 */
export interface Target {
  readonly query: Query;
  /** Live; changes identity only when membership changes. */
  readonly peers: Live<readonly Peer[]>;
  /** Visits every peer while it matches, those that come later included; `signal` aborts when it stops matching. */
  each(visit: (peer: Peer, signal: AbortSignal) => unknown): () => void;
  /**
   * Asks every peer that the query names now. Requests from here to one peer start in the order in which they were made;
   * one that holds a stream or is large may be overtaken.
   */
  call<M extends Module | string>(module: M, ...args: Args<M, [options?: CallOptions]>): Replies<ResponseOutput<M>>;
  /**
   * The seed's form. With a callback: one call of it for each answer, failures as `error` events. Without: one way;
   * nothing comes back, nothing is kept waiting, and the handler's answer is dropped. One that finds no link for 30 s is a
   * `timeout` among the `error` events.
   */
  message<M extends Module | string>(
    module: M,
    ...args: Args<
      M,
      [keepAlive?: boolean | MessageOptions, callback?: (response: ResponseOutput<M>, peer: Peer) => void]
    >
  ): void;
}

/** What a target needs of its client. */
export interface TargetOptions {
  readonly query: Query;
  readonly peers: Live<readonly Peer[]>;
  /** Whom a call is for at this moment. */
  targets(): readonly Peer[];
  call(targets: readonly Peer[], module: Module, request: unknown, options?: CallOptions): Replies<any>;
  tell(targets: readonly Peer[], module: Module, request: unknown, options: MessageOptions): void;
  failed(error: BonevalueError): void;
}

/** The target of one query. */
export function createTarget({ query, peers, targets, call, tell, failed }: TargetOptions): Target {
  return Object.freeze<Target>({
    query,
    peers,
    each: (visit) => visitEach(peers, visit),
    call: (module, ...[request, options]) => call(targets(), moduleOf(module), request, options ?? {}),
    message(module, ...[request, options, callback]) {
      const how = typeof options === "object" ? (options ?? {}) : { keepAlive: options };
      if (callback || typeof options === "function") requireFunction(callback, "The fourth argument, the callback,");
      if (!callback) return tell(targets(), moduleOf(module), request, how);
      if (how.lossy) throw new BonevalueError("unsupported", "A lossy message has no answer: leave the callback out.");
      deliver(call(targets(), moduleOf(module), request, { keepAlive: how.keepAlive }), callback, failed);
    },
  });
}

async function deliver(
  replies: Replies<any>,
  callback: (response: any, peer: Peer) => void,
  failed: (error: BonevalueError) => void,
): Promise<void> {
  for await (const { peer, status, value, error } of replies) {
    if (status === "fulfilled") guard(() => callback(value, peer));
    else failed(error);
  }
}
