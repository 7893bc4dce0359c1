/** The id of a peer: 128 random bits that the discovery server creates. It is never reused, and never a valid alias. */
export type PeerId = string;

/** The name that this account has given another user. It is private to the account. `"*"` and `"Us"` are reserved. */
export type Alias = string;

/**
 * What a peer says about itself: a JSON object of at most 1 KiB. Never trust it; see the client's option `profileSchema`.
 * Apps declare their fields once:
 *
 * @example
 * declare module "bonevalue" {
 *   interface Profile { avatar?: string }
 * }
 */
// biome-ignore lint/suspicious/noEmptyInterface: apps augment it.
export interface Profile {}

/**
 * One online login of a user, or a guest of the same room. Frozen, so it is safe in any framework's state: when its profile
 * changes, a new object takes its place in the lists.
 */
export interface Peer {
  /** Its id, which it keeps while it is signed in. */
  readonly id: PeerId;
  /** The alias of its user, `"Us"` for the same account. In a room, the name that the guest has chosen: only display it. */
  readonly name: Alias;
  /** What it says about itself. Never trust it. */
  readonly profile: Profile;
}

/** A peer as discovery reports it. `profile` is what it said, not validated. */
export interface PeerInfo {
  /** Its id, which it keeps while it is signed in. */
  readonly id: PeerId;
  /** The alias of its user, or the name of the guest. */
  readonly name: Alias;
  /** What it says about itself, not validated. */
  readonly profile?: unknown;
}

/** The profile of a peer that said nothing, or nothing valid. */
export const noProfile: Profile = Object.freeze({});

// The first object of each login whose profile has changed since.
const firstObjects = new WeakMap<Peer, Peer>();

/** Returns the object that takes the place of `peer`. */
export function withProfile(peer: Peer, profile: Profile): Peer {
  const updated = Object.freeze({ ...peer, profile });
  firstObjects.set(updated, loginOf(peer));
  return updated;
}

/** Returns the same object for every object of a login. A peer that has left and returned has another one. */
export function loginOf(peer: Peer): Peer {
  return firstObjects.get(peer) ?? peer;
}
