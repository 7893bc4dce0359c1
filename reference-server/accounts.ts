import { closeCode } from "../core/protocol/close-code.ts";
import type { AttemptLimiter } from "./attempt-limiter.ts";
import type { Clock } from "./clock.ts";
import type { ServerLimits } from "./limits.ts";
import { canonicalName, checkedAlias, checkedEmail, checkedName, isName } from "./names.ts";
import { checkPassword, isOutdated, type Passwords } from "./passwords.ts";
import { aliasTaken, Refusal } from "./refusal.ts";
import { hashOf, newSecret } from "./secrets.ts";
import type { Account, Invitation, Session, Store } from "./store/store.ts";

/** A one-use invitation link. */
export interface InvitationLink {
  /** The URL of the invitation page. It contains the secret: send it to the invited person only. */
  readonly link: string;
  /** When the link stops working. */
  readonly expires: Date;
  /** The user who invites; undefined for an invitation of the operator. */
  readonly inviter: string | undefined;
  /** Whether the invited person has an account, and accepts with its password. */
  readonly hasAccount: boolean;
}

/** Who invites, and the aliases of the trust that accepting creates. */
export interface InvitationFrom {
  /** The user who invites. */
  readonly from: string;
  /** The inviter's alias for the invited person. Without it, accepting creates no trust. */
  readonly alias?: string | undefined;
  /** The invited person's alias for the inviter. Default: the inviter's user name. */
  readonly as?: string | undefined;
}

/** An invitation as its page shows it. */
export type OpenInvitation = Pick<InvitationLink, "inviter" | "hasAccount"> & { readonly email: string };

/** An account whose password was checked. `hash`: its stored hash. */
interface Checked {
  readonly username: string;
  readonly hash: string;
}

/** Accounts and their passwords. Rejects with the codes of the protocol. */
export interface Accounts {
  /** Returns the canonical form of a name for a new account; rejects if the name is invalid or used. */
  newName(username: string): Promise<string>;
  /** Returns the canonical name of an account; rejects if there is no such account. */
  existingName(username: string): Promise<string>;
  add(username: string, password: string): Promise<void>;
  /** Creates an account without a password, if it is missing. */
  ensure(username: string): Promise<void>;
  list(): Promise<readonly string[]>;
  /** Sets a password and ends all sessions. */
  setPassword(username: string, password: string): Promise<void>;
  sessions(username: string): Promise<readonly Pick<Session, "peer" | "seen">[]>;
  /** Resolves to the users who trusted it. */
  remove(username: string): Promise<readonly string[]>;
  trust(a: string, aliasOfB: string, b: string, aliasOfA: string): Promise<readonly [string, string]>;
  /** Checks a password; resolves to the canonical user name and the stored hash. */
  check(username: string, password: string, address: string): Promise<Checked>;
  /** Creates an invitation; rejects if the address has an account and the invitation creates no trust. */
  invite(email: string, from?: InvitationFrom): Promise<InvitationLink>;
  /** Rejects with the reason why `from` cannot invite, which does not depend on whether the address has an account. */
  checkInvitation(email: string, from: InvitationFrom): Promise<void>;
  /** Returns an invitation that can be accepted. */
  invitation(invite: string, address: string): Promise<OpenInvitation>;
  /**
   * Creates the account of an invitation with this password, or checks the password of the account that exists. `inviter`:
   * the user with whom the account has mutual trust now.
   */
  accept(invite: string, password: string, address: string): Promise<Checked & { inviter: string | undefined }>;
  /** Changes the password and ends all other sessions; resolves to the new secret of the requester's session. */
  changePassword(account: Requester, current: string, password: string): Promise<string>;
}

/** The signed-in peer that sends a request. */
export interface Requester {
  readonly user: string;
  readonly id: string;
  readonly address: string;
  /** The id of the device that its session belongs to. */
  readonly device?: string | undefined;
}

/** Dependencies of {@link Accounts}. */
export interface AccountsParts {
  readonly store: Store;
  readonly passwords: Passwords;
  readonly limiter: AttemptLimiter;
  readonly clock: Clock;
  readonly limits: ServerLimits;
  /** Returns the link of an invitation with this secret. */
  readonly link: (secret: string) => string;
}

/** Creates the accounts of a store. */
export function createAccounts(parts: AccountsParts): Accounts {
  const { store, passwords, limiter, clock, limits } = parts;

  function wrongCredentials(): Refusal {
    return new Refusal("unauthenticated", "The user name or the password is wrong.", {
      close: closeCode.unauthenticated,
    });
  }

  function invalidInvitation(): Refusal {
    return new Refusal("token-invalid", "This invitation was used or has expired: ask for a new one.", {
      close: closeCode.unauthenticated,
    });
  }

  // Looked up first: a guessed invitation must not cost a password hash.
  function find(
    invite: string,
    address: string,
  ): Promise<{ email: string; inviter: string | undefined; account: Account | undefined }> {
    return limiter.limitSignIn(undefined, address, async () => {
      const invitation = await store.invitation(hashOf(invite), clock.now());
      if (invitation === undefined) throw invalidInvitation();
      const { email, inviter, trust } = invitation;
      const account = await store.account(email);
      if (account !== undefined && trust === undefined) throw invalidInvitation();
      return { email, inviter, account };
    });
  }

  function aliasesOf({ from, alias, as }: InvitationFrom): Invitation["trust"] {
    if (alias === undefined && as === undefined) return undefined;
    if (alias === undefined) throw new Refusal("invalid-request", "An invitation with `as` also needs `alias`.");
    return { aliasOfInvited: checkedAlias(alias), aliasOfInviter: checkedAlias(as ?? from) };
  }

  async function check(username: string, password: string, address: string): Promise<Checked> {
    const name = canonicalName(username);
    const hash = await limiter.limitSignIn(name, address, () => verify(name, password));
    if (!isOutdated(hash)) return { username: name, hash };
    const better = await passwords.hash(password);
    return { username: name, hash: (await store.rehash(name, hash, better)) ? better : hash };
  }

  async function newName(username: string): Promise<string> {
    const name = checkedName(username);
    if ((await store.account(name)) !== undefined) throw accountExists(username);
    return name;
  }

  async function existingName(username: string): Promise<string> {
    const name = canonicalName(username);
    if ((await store.account(name)) === undefined) throw noAccount(username);
    return name;
  }

  async function verify(username: string, password: string): Promise<string> {
    const hash = isName(username) ? (await store.account(username))?.password : undefined;
    if (!(await passwords.verify(hash, password)) || hash === undefined) throw wrongCredentials();
    return hash;
  }

  return {
    newName,
    existingName,
    async add(username, password) {
      const name = await newName(username);
      checkPassword(password);
      // Another server or command may have added it meanwhile.
      if (!(await store.addAccount(name, await passwords.hash(password)))) throw accountExists(username);
    },
    async ensure(username) {
      await store.addAccount(username, undefined);
    },
    list: () => optional(store.accounts)(),
    async setPassword(username, password) {
      const name = await existingName(username);
      checkPassword(password);
      // The account may have been removed meanwhile.
      if (!(await optional(store.setPassword)(name, await passwords.hash(password)))) throw noAccount(username);
    },
    sessions: async (username) => optional(store.sessionsOfAccount)(await existingName(username)),
    async remove(username) {
      const others = await store.removeAccount(canonicalName(username));
      if (others === undefined) throw noAccount(username);
      return others;
    },
    async trust(a, aliasOfB, b, aliasOfA) {
      const names = [await existingName(a), await existingName(b)] as const;
      const done = await store.trust(names[0], checkedAlias(aliasOfB), names[1], checkedAlias(aliasOfA));
      if ("refused" in done)
        throw new Error(
          done.refused === "alias-taken"
            ? `The alias "${aliasOfB}" or "${aliasOfA}" is used for another user already: choose another.`
            : `"${a}" and "${b}" trust each other already, or are the same user.`,
        );
      return names;
    },
    check,
    async invite(email, from) {
      const name = checkedEmail(email);
      const inviter = from && (await existingName(from.from));
      const trust = from && aliasesOf({ ...from, from: canonicalName(from.from) });
      const hasAccount = (await store.account(name)) !== undefined;
      if (hasAccount && trust === undefined)
        throw new Error(
          `"${name}" already has an account: invite it with an inviter and two aliases, which creates trust.`,
        );
      if (name === inviter) throw ownAddress();
      const secret = newSecret();
      const expires = clock.now() + limits.invitationAge;
      await store.addInvitation({ hash: hashOf(secret), email: name, expires, inviter, trust });
      return { link: parts.link(secret), expires: new Date(expires), inviter, hasAccount };
    },
    async checkInvitation(email, from) {
      const aliases = aliasesOf(from);
      if (aliases === undefined) return;
      if (checkedEmail(email) === from.from) throw ownAddress();
      const used = await store.trusted(from.from);
      if (used.some(({ alias }) => alias === aliases.aliasOfInvited)) throw aliasTaken();
    },
    async invitation(invite, address) {
      const { email, inviter, account } = await find(invite, address);
      return { email, inviter, hasAccount: account !== undefined };
    },
    async accept(invite, password, address) {
      const { email, account } = await find(invite, address);
      if (account === undefined) checkPassword(password);
      const { hash } = account ? await check(email, password, address) : { hash: await passwords.hash(password) };
      const use = account ? optional(store.acceptTrust) : store.acceptInvitation;
      const result = await use(hashOf(invite), hash, clock.now());
      if ("username" in result) return { ...result, hash };
      throw result.refused === "alias-taken" ? invitationAliasTaken() : invalidInvitation();
    },
    async changePassword({ user, id, address }, current, password) {
      checkPassword(password);
      const hash = await limiter.limitSignIn(user, address, () => verify(user, current));
      const secret = newSecret();
      const keep = { peer: id, hash: hashOf(secret) };
      if (!(await store.changePassword(user, hash, await passwords.hash(password), keep))) throw wrongCredentials();
      return secret;
    },
  };
}

function accountExists(username: string): Error {
  return new Error(`The account "${username}" exists already: choose another name.`);
}

function noAccount(username: string): Error {
  return new Error(`There is no account "${username}".`);
}

function ownAddress(): Refusal {
  return new Refusal("invalid-request", "This is the inviter's own address.");
}

function invitationAliasTaken(): Refusal {
  return new Refusal(
    "alias-taken",
    "You or your inviter use the name in this invitation for another user by now: ask for a new invitation.",
    { close: closeCode.unauthenticated },
  );
}

function optional<Method extends object>(method: Method | undefined): Method {
  if (method === undefined) throw new Error("The store of the app does not support this: see `Store`.");
  return method;
}
