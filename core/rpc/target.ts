import { requireFunction } from "../check-arguments.ts";
import { BonevalueError } from "../errors.ts";
import { guard } from "../events.ts";
import type { Peer } from "../peer.ts";
import { visitEach } from "../peers/each.ts";
import type { Query } from "../peers/query.ts";
import type { PeerPresence, PresenceDefinition, PresenceOutput } from "../presence/definition.ts";
import type { Live } from "../reactive.ts";
import type { CallOptions } from "./call.ts";
import { type Args, type Module, moduleOf, type ResponseOutput } from "./module.ts";
import type { Replies } from "./replies.ts";

/** Options of one message. */
export interface MessageOptions {
  /** Whether the link stays open afterwards. Default: the client's `keepAlive`. */
  keepAlive?: boolean | undefined;
  /** Sends it unordered and at most once, and drops it when the link is congested: for cursors and the like. At most 1 KiB. */
  lossy?: boolean | undefined;
  /** Sends nothing to a peer that is not verified: an `error` event with `identity-mismatch`. Default false. */
  verified?: boolean | undefined;
}

/**
 * The peers that match a query. `get` always returns one, and the same object for equal queries while it is in use. It
 * outlives disconnections. `*`, `Us` and aliases may match no peer. Any other string is a peer id, which always gives a
 * reply: for an unknown peer or this client it is `unknown-peer`, from a peer with the name "". While `offline`, every
 * reply and `first()` reject with `not-connected`; while `reconnecting`, calls that need a new link wait.
 */
export interface Target {
  /** The query that selects the peers. */
  readonly query: Query;
  /** The peers that match now. The list is a new object only after one connects, disconnects or changes its profile. */
  readonly peers: Live<readonly Peer[]>;
  /** Visits every peer that matches, now or later. `signal` aborts when the peer stops matching. */
  each(visit: (peer: Peer, signal: AbortSignal) => unknown): () => void;
  /**
   * Calls every peer that the query matches now. The requests of this client to one peer start in the order of the calls, but
   * later ones may overtake a request that is large or carries a stream.
   */
  call<M extends Module | string>(module: M, ...args: Args<M, [options?: CallOptions]>): Replies<ResponseOutput<M>>;
  /**
   * Sends a one-way message: there is no reply, and the handler's answer is dropped. A message that finds no link within
   * 30 s is a `timeout` among the `error` events. Short form of a call: with a callback, calls it with each answer, and
   * failures become `error` events.
   */
  message<M extends Module | string>(
    module: M,
    ...args: Args<
      M,
      [keepAlive?: boolean | MessageOptions, callback?: (response: ResponseOutput<M>, peer: Peer) => void]
    >
  ): void;
  /**
   * The values that the matching peers offer under the definition's name. While there is a subscriber, a link to each of
   * these peers is kept open, as far as `maxLinks` allows. Without a subscriber the list is empty.
   */
  presence<D extends PresenceDefinition>(definition: D): Live<readonly PeerPresence<PresenceOutput<D>>[]>;
}

/** The client, as a target sees it. */
export interface TargetOptions {
  readonly query: Query;
  readonly peers: Live<readonly Peer[]>;
  /** The peers that match at this moment. */
  targets(): readonly Peer[];
  call(targets: readonly Peer[], module: Module, request: unknown, options?: CallOptions): Replies<any>;
  notify(targets: readonly Peer[], module: Module, request: unknown, options: MessageOptions): void;
  presence: Target["presence"];
  failed(error: BonevalueError): void;
}

/** Creates the target of one query. */
export function createTarget({ query, peers, targets, call, notify, presence, failed }: TargetOptions): Target {
  return Object.freeze<Target>({
    query,
    peers,
    presence,
    each: (visit) => visitEach(peers, visit),
    call: (module, ...[request, options]) => call(targets(), moduleOf(module), request, options ?? {}),
    message(module, ...[request, options, callback]) {
      const messageOptions = typeof options === "object" ? (options ?? {}) : { keepAlive: options };
      if (callback || typeof options === "function") requireFunction(callback, "The fourth argument, the callback,");
      if (!callback) return notify(targets(), moduleOf(module), request, messageOptions);
      if (messageOptions.lossy)
        throw new BonevalueError("unsupported", "A lossy message has no answer. Omit the callback.");
      deliver(
        call(targets(), moduleOf(module), request, {
          keepAlive: messageOptions.keepAlive,
          verified: messageOptions.verified,
        }),
        callback,
        failed,
      );
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
