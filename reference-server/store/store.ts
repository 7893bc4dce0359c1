/** An account. */
export interface Account {
  /** The user name, in its canonical form. */
  readonly username: string;
  /** An argon2id hash; undefined if the app authenticates its users itself. */
  readonly password: string | undefined;
}

/**
 * A session, with which a page reconnects. It ends with a `bye`, a changed password, the removal of its account, or 24 h
 * without a socket.
 */
export interface Session {
  /** The hash of the secret; the secret itself is never stored. */
  readonly hash: string;
  /** The name of the account. */
  readonly username: string;
  /** The peer id of this session. */
  readonly peer: string;
  /** The app that the session belongs to. Default `""`. */
  readonly app?: string | undefined;
  /** The id of the device that it began with. */
  readonly device?: string | undefined;
  /** When it last had a socket, in ms since 1970, as all times in a store. */
  readonly seen: number;
}

/** The session of a guest in a room. It ends with a `bye`, or 10 minutes without a socket. */
export interface GuestSession {
  /** The hash of the session secret. */
  readonly hash: string;
  /** The peer id of this session. */
  readonly peer: string;
  /** The room, as an opaque string with the hash of its name. */
  readonly group: string;
  /** The name that the others see. */
  readonly name: string;
  /** When it last had a socket, in ms since 1970. */
  readonly seen: number;
}

/** A device on which an account stays signed in. */
export interface Device {
  /** The id of the device, which its account may see. */
  readonly id: string;
  /** The hash of the secret; the secret itself is never stored. */
  readonly hash: string;
  /** The name of the account. */
  readonly username: string;
  /** When the account signed in on it first, in ms since 1970. */
  readonly created: number;
  /** When it was last used, in ms since 1970. */
  readonly used: number;
}

/** A trusted user and the alias for it. */
export interface Trusted {
  /** The name of the trusted user. */
  readonly username: string;
  /** The name that the truster uses for this user. */
  readonly alias: string;
}

/** A trust token. */
export interface Token {
  /** The hash of the token; the token itself is never stored. */
  readonly hash: string;
  /** The name of the user who made it. */
  readonly owner: string;
  /** The owner's alias for the user who claims the token. */
  readonly alias: string;
  /** When it stops working, in ms since 1970. */
  readonly expires: number;
}

/** An invitation to create an account for `email`, or to trust its inviter. */
export interface Invitation {
  /** The hash of the secret in the link; the secret itself is never stored. */
  readonly hash: string;
  /** The e-mail address of the invited person, which is also the name of the account. */
  readonly email: string;
  /** When it stops working, in ms since 1970. */
  readonly expires: number;
  /** The user who invites; undefined for an invitation of the operator. */
  readonly inviter?: string | undefined;
  /** The aliases of the trust that accepting creates; undefined if it creates none. */
  readonly trust?:
    | {
        /** The inviter's alias for the invited person. */
        readonly aliasOfInvited: string;
        /** The invited person's alias for the inviter. */
        readonly aliasOfInviter: string;
      }
    | undefined;
}

/** The result of accepting an invitation: the account, or the reason why nothing was changed. */
export type AcceptResult =
  | {
      /** The name of the account. */
      readonly username: string;
      /** The name of the inviter, if the two trust each other now. */
      readonly inviter: string | undefined;
    }
  | {
      /** The error code. `alias-taken`: one of the two uses the alias for another user by now. */
      readonly refused: "token-invalid" | "alias-taken";
    };

/** A user or an address that may not sign in until a time. */
export interface Ban {
  /** `user ` and its name, or `address ` and an IPv4 address or an IPv6 /64. */
  readonly subject: string;
  /** When the ban ends, in ms since 1970. */
  readonly until: number;
}

/** A change of accounts or bans that running servers have to notice. */
export interface AccountChange {
  /** The id of this change, so that a server handles it once. */
  readonly id: string;
  /** The name of the account; `""` if a ban, or the session of one peer, has changed. */
  readonly username: string;
  /** When it was made, in ms since 1970. */
  readonly at: number;
}

/** The result of creating trust: the other account, or the reason why nothing was changed. */
export type TrustResult =
  | {
      /** The name of the other account. */
      readonly other: string;
    }
  | {
      /** The error code. `alias-taken`: one of the two uses the alias for another user. */
      readonly refused: "token-invalid" | "alias-taken";
    };

/**
 * Persistent data. Every method is one atomic step for all servers that share the store, and durable when it resolves. The
 * store receives secrets as hashes only. A rejection means that the store is unreachable.
 */
export interface Store {
  /** Finds an account by its name. */
  account(username: string): Promise<Account | undefined>;
  /** Returns the names of all accounts, in order. Optional for a store of an app, as are the other methods marked so. */
  accounts?(): Promise<readonly string[]>;
  /** Sets a password, ends all sessions of the account and forgets its devices; false if there is no such account. Optional. */
  setPassword?(username: string, password: string): Promise<boolean>;
  /** False if the name is in use. */
  addAccount(username: string, password: string | undefined): Promise<boolean>;
  /**
   * Removes an account with its sessions, tokens, trust, and the invitations from it and to it. Resolves to the users who
   * trusted it, or to undefined if there is no such account.
   */
  removeAccount(username: string): Promise<readonly string[] | undefined>;
  /** Replaces the password hash `from`; false if the stored hash is another one. */
  rehash(username: string, from: string, to: string): Promise<boolean>;
  /**
   * As `rehash`; also ends all sessions of the account except that of `keep.peer`, whose secret hash becomes `keep.hash`, and
   * forgets all devices except that session's.
   */
  changePassword(username: string, from: string, to: string, keep: { peer: string; hash: string }): Promise<boolean>;

  /**
   * Adds a session. False if `password` is given and is not the account's hash any more. If the account then has more than
   * `most` sessions, the least recently seen ones end.
   */
  addSession(session: Session, password?: string, most?: number): Promise<boolean>;
  /** Finds the session of a secret, if it has been seen since `since`. */
  session(hash: string, since: number): Promise<Session | undefined>;
  /** Returns those of these peers whose sessions exist. */
  sessionsOf(peers: readonly string[]): Promise<ReadonlySet<string>>;
  /** Returns the sessions of an account, the last seen first. Optional. */
  sessionsOfAccount?(username: string): Promise<readonly Pick<Session, "peer" | "seen">[]>;
  /** Records that the sessions of these peers, and their devices, were in use at the time `at`. */
  seen(peers: readonly string[], at: number): Promise<void>;
  /** Ends the session of a peer. Does nothing if there is none. */
  endSession(peer: string): Promise<void>;

  /**
   * Adds the session of a guest. Optional, as is `guest`: a server has no rooms without them. With them, `sessionsOf`, `seen` and
   * `endSession` also know the peers of guests.
   */
  addGuest?(guest: GuestSession): Promise<void>;
  /** Finds the guest of a secret, if it has been seen since `since`. */
  guest?(hash: string, since: number): Promise<GuestSession | undefined>;

  /**
   * Adds a session for the account of an existing session, or of a device, by the hash of its secret, if that was in use since
   * `since`. It belongs to the same device. `most`: as for `addSession`. Undefined if the source does not exist any more.
   * Optional, as are the methods for devices. Without them, pages cannot stay signed in on a device.
   */
  addSessionFrom?(
    source: { readonly session: string } | { readonly device: string },
    added: Pick<Session, "hash" | "peer" | "app" | "seen">,
    since: number,
    most?: number,
  ): Promise<Session | undefined>;
  /**
   * Adds a device, which the session of `peer` then belongs to. False if that session has ended. If the account then has more
   * than `most` devices, the least recently used ones are forgotten.
   */
  addDevice?(device: Device, peer: string, most: number): Promise<boolean>;
  /** Returns the devices of an account, the last used first. */
  devices?(username: string): Promise<readonly Device[]>;
  /** Forgets a device of an account and ends its sessions; resolves to their peers. */
  forgetDevice?(username: string, id: string): Promise<readonly string[]>;

  /** Returns the users whom `username` trusts and who trust it back. */
  trusted(username: string): Promise<readonly Trusted[]>;
  /** Creates mutual trust. Refused for a user and itself, for users who trust each other already and for used aliases. */
  trust(a: string, aliasOfB: string, b: string, aliasOfA: string): Promise<TrustResult>;
  /** Ends mutual trust; resolves to the other user, or to undefined if the owner has no such alias. */
  untrust(owner: string, alias: string): Promise<string | undefined>;
  /** Adds a token and replaces the owner's older one for the same alias. False if the alias is in use. */
  addToken(token: Token): Promise<boolean>;
  /** Creates trust between the owner of a token and the claimer. A token works once; a refusal does not use it up. */
  claimToken(hash: string, claimer: string, alias: string, now: number): Promise<TrustResult>;

  /** Adds an invitation. */
  addInvitation(invitation: Invitation): Promise<void>;
  /** Finds the invitation of a secret, if it has not ended by `now`. */
  invitation(hash: string, now: number): Promise<Invitation | undefined>;
  /** Creates the account of an invitation, and its trust. Ends all invitations to the address that create no trust. */
  acceptInvitation(hash: string, password: string, now: number): Promise<AcceptResult>;
  /**
   * Creates the trust of an invitation to an account that exists. `token-invalid` if its password hash is not `password`.
   * Optional: without it, a person with an account cannot accept invitations.
   */
  acceptTrust?(hash: string, password: string, now: number): Promise<AcceptResult>;

  /** Adds a ban, or replaces the earlier one of the same subject. Optional, as are `removeBan` and `bans`. */
  addBan?(ban: Ban): Promise<void>;
  /** False if there is no such ban. */
  removeBan?(subject: string): Promise<boolean>;
  /** Returns the bans that end after `now`, in the order of their subjects. */
  bans?(now: number): Promise<readonly Ban[]>;

  /**
   * Records that server `id` runs at the time `seen`; resolves to the ids of other servers seen since `since`. Servers call it
   * every few seconds, also to check that the store accepts writes. Optional for a store of an app, as is `endHeartbeat`.
   */
  heartbeat?(id: string, seen: number, since: number): Promise<readonly string[]>;
  /** Removes the record of server `id`. */
  endHeartbeat?(id: string): Promise<void>;
  /** Records a change of an account, its sessions or trust, or of a ban, for all servers. Optional. */
  addChange?(change: AccountChange): Promise<void>;
  /** Returns the changes recorded since `since`. Servers poll it. Optional. */
  changes?(since: number): Promise<readonly AccountChange[]>;
  /**
   * Deletes rows that expired before `now`, sessions not seen since `since`, guests not seen since `guestsSince`, and devices not
   * used since `devicesSince`.
   */
  purge(now: number, since: number, guestsSince: number, devicesSince?: number): Promise<void>;
  /** Releases what the store has opened. */
  close(): Promise<void>;
}
