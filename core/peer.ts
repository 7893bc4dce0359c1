/** The id of a peer: 128 random bits that the discovery server creates. It is never reused, and never a valid alias. */
export type PeerId = string;

/** The name that this account has given another user. It is private to the account. `"*"` and `"Us"` are reserved. */
export type Alias = string;

/** One online login of a user, or a guest of the same room. Frozen, so it is safe in any framework's state. */
export interface Peer {
  readonly id: PeerId;
  /** The alias of its user, `"Us"` for the same account. In a room, the name that the guest has chosen: only display it. */
  readonly name: Alias;
}
