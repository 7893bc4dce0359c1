/** Minted by the discovery server: 128 random bits, never reused, never a legal alias. */
export type PeerId = string;

/** The name *this* account gave another user. Private to the account. `"*"` and `"Us"` are reserved. */
export type Alias = string;

/** A frozen snapshot: safe to keep in any framework's state. `name` is `"Us"` for our own other logins. */
export interface Peer {
  readonly id: PeerId;
  readonly name: Alias;
}
