import * as v from "valibot";
import { type SignalKind, signalKinds } from "../../core/protocol/messages.ts";

/** One online peer, as every node knows it. */
export interface Login {
  readonly id: string;
  readonly user: string;
  /** The node that holds its socket. */
  readonly node: string;
  /** Grows with every takeover: of two claims to one peer the greater holds. */
  readonly epoch: number;
}

/** What nodes say to each other. */
export type BusMessage =
  /** A peer is online, or has moved to another node. */
  | { readonly kind: "come"; readonly login: Login }
  /** Peers have left. `lost`: without a goodbye. */
  | { readonly kind: "go"; readonly logins: readonly Login[]; readonly lost: boolean }
  /** A newer socket has taken over a peer of the receiving node. */
  | { readonly kind: "taken"; readonly id: string; readonly epoch: number }
  | {
      readonly kind: "relay";
      readonly type: SignalKind;
      readonly to: string;
      readonly from: Login;
      readonly signal?: unknown;
    }
  /** Whom these users trust has changed. `named`: and what those whom they name see of them, too. */
  | { readonly kind: "trust"; readonly users: readonly string[]; readonly named: boolean }
  /** The sender could not say what it should have: everything may have changed. */
  | { readonly kind: "stale" }
  /** All sessions of a user have ended, but perhaps one. */
  | { readonly kind: "revoke"; readonly user: string; readonly keep?: string | undefined };

const text = v.string();
const login = v.object({ id: text, user: text, node: text, epoch: v.number() });

/** A {@link BusMessage} as it comes off the bus. */
export const busMessage: v.GenericSchema<unknown, BusMessage> = v.variant("kind", [
  v.object({ kind: v.literal("come"), login }),
  v.object({ kind: v.literal("go"), logins: v.array(login), lost: v.boolean() }),
  v.object({ kind: v.literal("taken"), id: text, epoch: v.number() }),
  v.object({
    kind: v.literal("relay"),
    type: v.picklist(signalKinds),
    to: text,
    from: login,
    signal: v.unknown(),
  }),
  v.object({ kind: v.literal("trust"), users: v.array(text), named: v.boolean() }),
  v.object({ kind: v.literal("stale") }),
  v.object({ kind: v.literal("revoke"), user: text, keep: v.optional(text) }),
]);

/** What a cluster tells its node. */
export interface NodeEvents {
  /** In order of sending, from each node. May be lost when the cluster's engine is: then `stale` follows. */
  message(message: BusMessage): void;
  /** Messages may have been lost: whatever was read before should be read again. */
  stale(): void;
}

/** Who was found online. */
export interface Online {
  readonly logins: readonly Login[];
  /** False: other nodes could not be asked, and peers of theirs may be missing. */
  readonly complete: boolean;
}

/**
 * One server's place among the others. What is written here is state and lasts; messages are hints. While the engine
 * behind it is out of reach every method still settles, for this node alone.
 */
export interface ClusterNode {
  readonly id: string;
  /**
   * Makes this node the owner of a peer, in one atomic step. An earlier owner, on any node, is told with `taken`; then
   * `resumed` is true.
   */
  claim(user: string, peer: string): Promise<{ readonly login: Login; readonly resumed: boolean }>;
  /** Takes the peer away, unless it has another owner by now: then false. */
  release(login: Login): Promise<boolean>;
  online(users: readonly string[]): Promise<Online>;
  send(node: string, message: BusMessage): void;
  /** To all other nodes. */
  broadcast(message: BusMessage): void;
  /** Counts one use of `key`, if it had fewer than `limit` in its window of `period` ms; else resolves to the ms to wait. */
  take(key: string, limit: number, period: number): Promise<number>;
  /** Undoes one `take`. */
  giveBack(key: string): Promise<void>;
  /** Stops. Peers that were not released are announced as lost by the other nodes, unless they come back to one of these. */
  leave(): Promise<void>;
}

/** Several servers that act as one. */
export interface Cluster {
  /** Rejects when the engine behind the cluster is out of reach. */
  join(events: NodeEvents): Promise<ClusterNode>;
}
