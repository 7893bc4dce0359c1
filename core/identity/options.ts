import type { Alias } from "../peer.ts";
import type { KeyStore } from "./key-store.ts";

/**
 * `"off"`: no keys and no proofs. Peers that know a key of this user refuse it.
 * `"tofu"` (trust on first use): every connection is signed. A peer is refused if it gives no proof or a wrong one although a key is
 * known. A device that its account has not approved, and a user whose key was never verified, are let through with `verified: false`.
 * A changed key is reported by `identitychange` and not refused, as in Signal; SSH would refuse it.
 * `"require"`: only verified peers can be reached. Calls to and from all others fail with `identity-mismatch`.
 */
export type IdentityPolicy = "off" | "tofu" | "require";

/** How the client proves who it is, and whom it accepts. */
export interface IdentityOptions {
  /** Default `"tofu"`. */
  policy?: IdentityPolicy | undefined;
  /**
   * Where keys are stored. Default `indexedDbKeyStore()`; `memoryKeyStore()` where there is no IndexedDB, as in Node: there,
   * `fileKeyStore(path)` of `bonevalue/node` keeps them.
   */
  keyStore?: KeyStore | undefined;
  /**
   * At least 16 random bytes that all devices of the account have and the discovery server does not: from a room's link, a
   * recovery code, a passkey's PRF, or the app's own vault. Use another secret for each server. The devices of the account then need no
   * approval, and the account survives lost storage. Pass it from the first sign-in on: passing it later makes a different
   * account. A function is called when this browser has no key yet. Removing a device does not keep out a person who has the secret.
   * In a room, members are verified only with a secret, and all of them must have the same one. Use another for each room.
   * `connect` rejects with `invalid-request` for anything but bytes, and for a secret of a room where nothing is signed.
   */
  secret?: Uint8Array | (() => Uint8Array | Promise<Uint8Array>) | undefined;
  /**
   * For an app with a directory that it trusts more than the discovery server: returns the user's account, as that user's
   * `identity` shows it. A user for whom it returns an account is verified by nothing else. If it throws, the peer is refused.
   */
  accountOf?: ((alias: Alias) => string | undefined | Promise<string | undefined>) | undefined;
  /**
   * The name of this user's key in the store, for apps that sign in with a token. Without it, the user name that the server
   * reports selects the key. Use a name that the app knows by itself, such as the user's id.
   */
  name?: string | undefined;
}

/** This client's own identity. A frozen snapshot. Keys are 32 bytes (Ed25519), as 43 characters of base64url. */
export interface OwnIdentity {
  /** The key by which other users know this account. Never secret. */
  readonly account: string;
  /** This browser's own key. All its tabs share it. */
  readonly device: string;
  /**
   * `"single"`: the only device of its account. `"linked"`: one of several. `"unlinked"`: a device of its own account, although
   * a peer has shown that the user has another account, or has refused this device: have this device approved. Any peer can cause it.
   */
  readonly status: "single" | "linked" | "unlinked";
  /** The other devices of the account that this one has met or approved. */
  readonly devices: readonly {
    /** The public key of the device, in base64url. */
    readonly device: string;
    /** When this device met or approved it. */
    readonly since: Date;
    /** Whether it has been removed from the account. */
    readonly removed: boolean;
  }[];
}

/** The identity of one user, as known here. A frozen snapshot. */
export interface UserIdentity {
  /**
   * `"unknown"`: the user never gave a proof. `"seen"`: the key of first use, not verified. `"pending"`: a token was made or
   * claimed, and the other side has not answered it yet. `"verified"`: by a token, an introduction from another device, `accountOf`,
   * or `acceptIdentity`. `"changed"`: a key was known, and a peer with this name has shown one that its account has not
   * approved; `account` is the new one.
   */
  readonly status: "unknown" | "seen" | "pending" | "verified" | "changed";
  /** The account of the user, in base64url: what `client.identity` shows as `account` on that user's side. */
  readonly account?: string | undefined;
  /** 60 digits in groups of five, the same on both sides. Users compare it by voice or on the screen. */
  readonly safetyNumber?: string | undefined;
}
