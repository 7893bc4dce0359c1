import * as v from "valibot";
import { type SignalKind, signalKinds } from "../../core/protocol/messages.ts";
import { encodeProfile } from "../../core/protocol/profile.ts";

/** One online peer and its owner. */
export interface Login {
  /** The id of the peer. */
  readonly id: string;
  /** The group whose peers see each other, such as the peers of one account. Opaque to the cluster. */
  readonly group: string;
  /** The name that the peer has for all others. Undefined if each of them has a name of its own for it. */
  readonly name?: string | undefined;
  /** The JSON of what the peer says about itself; undefined for `{}`. */
  readonly profile?: string | undefined;
  /** How often the profile has changed in this epoch. Default 0. */
  readonly revision?: number | undefined;
  /** The node that holds its socket. */
  readonly node: string;
  /** Grows with every takeover: of two claims to one peer, the greater epoch wins. */
  readonly epoch: number;
}

/** A message between nodes. */
export type BusMessage =
  /** A peer is online, has moved to another node, or has changed its profile. */
  | {
      /** Tells the kinds of messages apart. */
      readonly kind: "join";
      /** The peer as it is now. */
      readonly login: Login;
    }
  /** Peers are offline. */
  | {
      /** Tells the kinds of messages apart. */
      readonly kind: "leave";
      /** The peers. */
      readonly logins: readonly Login[];
      /** Whether their connections broke, and did not return within the grace period. */
      readonly lost: boolean;
    }
  /** A newer socket has taken over a peer of the receiving node. */
  | {
      /** Tells the kinds of messages apart. */
      readonly kind: "superseded";
      /** The id of the peer. */
      readonly id: string;
      /** The epoch of the newer claim. */
      readonly epoch: number;
    }
  /** A signal of one peer to a peer of the receiving node. */
  | {
      /** Tells the kinds of messages apart. */
      readonly kind: "relay";
      /** The kind of the signal. */
      readonly type: SignalKind;
      /** The id of the receiving peer. */
      readonly to: string;
      /** The sending peer. */
      readonly from: Login;
      /** The content of the signal, which only the peers read. */
      readonly signal?: unknown;
    }
  /** The sender opened a relay to a peer of the receiving node. */
  | {
      /** Tells the kinds of messages apart. */
      readonly kind: "relayOffer";
      /** The id of the receiving peer. */
      readonly to: string;
      /** The peer that opened the relay. */
      readonly from: Login;
      /** The URL of the relay, on the node of the sender. */
      readonly url: string;
      /** The one-use secret with which the receiver joins. */
      readonly ticket: string;
    }
  /** The trust of some users has changed. */
  | {
      /** Tells the kinds of messages apart. */
      readonly kind: "trust";
      /** The names of the users. */
      readonly users: readonly string[];
      /** Whether to also read the trust of the users whom they name. */
      readonly named: boolean;
    }
  /** The sender could not publish a message: everything may have changed. */
  | {
      /** Tells the kinds of messages apart. */
      readonly kind: "stale";
    }
  /** All sessions of a user have ended, except one. */
  | {
      /** Tells the kinds of messages apart. */
      readonly kind: "revoke";
      /** The name of the user. */
      readonly user: string;
      /** The id of the peer whose session stays, if there is one. */
      readonly keep?: string | undefined;
    }
  /** The sessions of some peers have ended. */
  | {
      /** Tells the kinds of messages apart. */
      readonly kind: "ended";
      /** The ids of the peers. */
      readonly peers: readonly string[];
    };

const text = v.string();
// It becomes part of frames, so it has to be JSON.
const profile = v.pipe(text, v.check(isProfile));
const login = v.object({
  ...{ id: text, group: text, name: v.optional(text), node: text, epoch: v.number() },
  ...{ profile: v.optional(profile), revision: v.optional(v.number()) },
});

/** The schema of a {@link BusMessage} that another node has sent. */
export const busMessage: v.GenericSchema<unknown, BusMessage> = v.variant("kind", [
  v.object({ kind: v.literal("join"), login }),
  v.object({ kind: v.literal("leave"), logins: v.array(login), lost: v.boolean() }),
  v.object({ kind: v.literal("superseded"), id: text, epoch: v.number() }),
  v.object({
    kind: v.literal("relay"),
    type: v.picklist(signalKinds),
    to: text,
    from: login,
    signal: v.unknown(),
  }),
  v.object({ kind: v.literal("relayOffer"), to: text, from: login, url: text, ticket: text }),
  v.object({ kind: v.literal("trust"), users: v.array(text), named: v.boolean() }),
  v.object({ kind: v.literal("stale") }),
  v.object({ kind: v.literal("revoke"), user: text, keep: v.optional(text) }),
  v.object({ kind: v.literal("ended"), peers: v.array(text) }),
]);

function isProfile(json: string): boolean {
  try {
    encodeProfile(JSON.parse(json));
    return true;
  } catch {
    return false;
  }
}

/** The events that a cluster calls on its node. */
export interface NodeEvents {
  /** Messages of one node arrive in order. After an outage of the shared state messages may be missing; then `stale` is called. */
  message(message: BusMessage): void;
  /** Messages may have been lost: read everything again. */
  stale(): void;
}

/** The result of a lookup of online peers. */
export interface Online {
  /** The online peers that were found. */
  readonly logins: readonly Login[];
  /** False if peers of other nodes may be missing. */
  readonly complete: boolean;
}

/**
 * `unreachable`: the shared state cannot be reached, and this node works alone meanwhile. `refused`: it answers with
 * errors; an operator has to act.
 */
export type ClusterFailure = "unreachable" | "refused";

/**
 * One server of a cluster. Claims and counters are shared state; messages are hints. While the shared state
 * is unreachable, every method still settles, for this node alone.
 */
export interface ClusterNode {
  /** The id of this node, which no other node of the cluster has. */
  readonly id: string;
  /** Makes this node the owner of a peer, in one atomic step. The previous owner, on any node, receives `superseded`. */
  claim(
    group: string,
    peer: string,
    name?: string,
    profile?: string,
  ): Promise<{
    /** The peer, with its new epoch. */
    readonly login: Login;
    /** Whether the peer had an owner before. */
    readonly resumed: boolean;
  }>;
  /** Stores a login of this node whose profile has changed, unless the peer has another owner by now. */
  update(login: Login): Promise<void>;
  /** Removes the peer; false if it has another owner by now. */
  release(login: Login): Promise<boolean>;
  /** Finds the online peers of some groups, on all nodes. */
  online(groups: readonly string[]): Promise<Online>;
  /** Sends a message to one node. A message may be lost. */
  send(node: string, message: BusMessage): void;
  /** Sends a message to all other nodes. A message may be lost. */
  broadcast(message: BusMessage): void;
  /**
   * Counts one use of `key` and resolves to 0 while `key` has fewer than `limit` uses in its window of `period` ms. Otherwise
   * counts nothing and resolves to the ms to wait.
   */
  consume(key: string, limit: number, period: number): Promise<number>;
  /** Undoes one `consume`. */
  refund(key: string): Promise<void>;
  /** The failure that separates this node from the others, if there is one. Reported by /healthz. */
  failure?(): ClusterFailure | undefined;
  /** Stops. The other nodes announce peers that were not released as lost, unless these reconnect to another node. */
  leave(): Promise<void>;
}

/** Several servers that act as one. Implement it to keep the shared state elsewhere than in Redis. */
export interface Cluster {
  /** Rejects when the shared state is unreachable. */
  join(events: NodeEvents): Promise<ClusterNode>;
}
