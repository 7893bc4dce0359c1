/** Somebody who may sign in. */
export interface Account {
  readonly username: string;
  /** An argon2id hash; undefined where the app itself authenticates. */
  readonly password: string | undefined;
}

/** What a page comes back with. Lives until a `bye`, its password's or its account's end, or 24 h without a socket. */
export interface Session {
  /** Of the secret, which is never stored. */
  readonly hash: string;
  readonly username: string;
  /** The one peer id of this session. */
  readonly peer: string;
  /** When it last had a socket. ms since 1970, as every time in a store. */
  readonly seen: number;
}

/** Whom an account trusts, and what it calls them. */
export interface Trusted {
  readonly username: string;
  readonly alias: string;
}

/** What a trust token stands for until it is claimed. */
export interface Token {
  readonly hash: string;
  readonly owner: string;
  /** The owner's name for whoever claims it. */
  readonly alias: string;
  readonly expires: number;
}

/** An invitation to make an account for `email`. */
export interface Invitation {
  readonly hash: string;
  readonly email: string;
  readonly expires: number;
}

/** How a claim or a trust ended: with the other account, or with the reason why nothing was changed. */
export type Trusting = { readonly other: string } | { readonly refused: "token-invalid" | "alias-taken" };

/**
 * What outlives the process. Every method is one atomic step, on all nodes that share the store, and durable once it has
 * resolved. Secrets come in as hashes only. A rejection means that the store is out of reach.
 */
export interface Store {
  account(username: string): Promise<Account | undefined>;
  /** False: the name is taken. */
  addAccount(username: string, password: string | undefined): Promise<boolean>;
  /** With its sessions, tokens and trust. Resolves to those who trusted it, or undefined where there was no such account. */
  removeAccount(username: string): Promise<readonly string[] | undefined>;
  /** Replaces the hash `from`, unless another has come in its place meanwhile: then false. */
  rehash(username: string, from: string, to: string): Promise<boolean>;
  /** As `rehash`; ends all sessions of the account but `keep.peer`'s, whose secret becomes `keep.hash`. */
  changePassword(username: string, from: string, to: string, keep: { peer: string; hash: string }): Promise<boolean>;

  /**
   * False: the account's hash is no longer `password`, if that is given. Where the account then has more than `most`
   * sessions, those that were seen longest ago end.
   */
  addSession(session: Session, password?: string, most?: number): Promise<boolean>;
  /** The session behind a secret, if it has been seen since `since`. */
  session(hash: string, since: number): Promise<Session | undefined>;
  /** Which of these sessions still exist. */
  sessionsOf(peers: readonly string[]): Promise<ReadonlySet<string>>;
  seen(peers: readonly string[], at: number): Promise<void>;
  endSession(peer: string): Promise<void>;

  /** Only those who trust back. */
  trusted(username: string): Promise<readonly Trusted[]>;
  /** Trust both ways. Refused for oneself, for two who trust already and for taken aliases. */
  trust(a: string, aliasOfB: string, b: string, aliasOfA: string): Promise<Trusting>;
  /** Ends trust both ways; undefined where the owner has no such alias. */
  untrust(owner: string, alias: string): Promise<string | undefined>;
  /** Replaces the owner's older token for the same alias. False: the alias is taken. */
  addToken(token: Token): Promise<boolean>;
  /** Trust between the token's owner and the claimer. A token works once; a refusal leaves it unused. */
  claimToken(hash: string, claimer: string, alias: string, now: number): Promise<Trusting>;

  addInvitation(invitation: Invitation): Promise<void>;
  invitation(hash: string, now: number): Promise<Invitation | undefined>;
  /** Makes the account, and ends all invitations to it. Undefined: not valid (any more). */
  acceptInvitation(hash: string, password: string, now: number): Promise<string | undefined>;

  /** Forgets what expired before `now`, and sessions not seen since `since`. */
  purge(now: number, since: number): Promise<void>;
  close(): Promise<void>;
}
