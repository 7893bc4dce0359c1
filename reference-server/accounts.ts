import { closeCode } from "../core/protocol/close-code.ts";
import type { AttemptLimiter } from "./attempt-limiter.ts";
import type { Clock } from "./clock.ts";
import type { ServerLimits } from "./limits.ts";
import { canonicalName, checkedAlias, checkedEmail, checkedName, isName } from "./names.ts";
import { checkPassword, isOutdated, type Passwords } from "./passwords.ts";
import { Refusal } from "./refusal.ts";
import { hashOf, newSecret } from "./secrets.ts";
import type { Session, Store } from "./store/store.ts";

/** A one-use invitation link. */
export interface InvitationLink {
  readonly link: string;
  readonly expires: Date;
}

/** Accounts and their passwords. Rejects with the codes of the protocol. */
export interface Accounts {
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
  check(username: string, password: string, address: string): Promise<{ username: string; hash: string }>;
  /** Creates an invitation; rejects if the address has an account. */
  invite(email: string): Promise<InvitationLink>;
  /** Creates the account of an invitation; resolves to its name. */
  accept(invite: string, password: string, address: string): Promise<string>;
  /** Changes the password and ends all other sessions; resolves to the new secret of the requester's session. */
  changePassword(account: Requester, current: string, password: string): Promise<string>;
}

/** The signed-in peer that sends a request. */
export interface Requester {
  readonly user: string;
  readonly id: string;
  readonly address: string;
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

  async function existingName(username: string): Promise<string> {
    const name = canonicalName(username);
    if ((await store.account(name)) === undefined) throw new Error(`There is no account "${username}".`);
    return name;
  }

  async function verify(username: string, password: string): Promise<string> {
    const hash = isName(username) ? (await store.account(username))?.password : undefined;
    if (!(await passwords.verify(hash, password)) || hash === undefined) throw wrongCredentials();
    return hash;
  }

  return {
    async add(username, password) {
      const name = checkedName(username);
      checkPassword(password);
      if (!(await store.addAccount(name, await passwords.hash(password))))
        throw new Error(`The account "${name}" exists already.`);
    },
    async ensure(username) {
      await store.addAccount(username, undefined);
    },
    list: () => optional(store.accounts)(),
    async setPassword(username, password) {
      const name = await existingName(username);
      checkPassword(password);
      await optional(store.setPassword)(name, await passwords.hash(password));
    },
    sessions: async (username) => optional(store.sessionsOfAccount)(await existingName(username)),
    async remove(username) {
      const others = await store.removeAccount(canonicalName(username));
      if (others === undefined) throw new Error(`There is no account "${username}".`);
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
    async check(username, password, address) {
      const name = canonicalName(username);
      const hash = await limiter.limitSignIn(name, address, () => verify(name, password));
      if (!isOutdated(hash)) return { username: name, hash };
      const better = await passwords.hash(password);
      return { username: name, hash: (await store.rehash(name, hash, better)) ? better : hash };
    },
    async invite(email) {
      const name = checkedEmail(email);
      if ((await store.account(name)) !== undefined) throw new Error(`"${name}" already has an account.`);
      const secret = newSecret();
      const expires = clock.now() + limits.invitationAge;
      await store.addInvitation({ hash: hashOf(secret), email: name, expires });
      return { link: parts.link(secret), expires: new Date(expires) };
    },
    accept: (invite, password, address) =>
      limiter.limitSignIn(undefined, address, async () => {
        const invalid = new Refusal("token-invalid", "This invitation is invalid or has expired: ask for a new one.", {
          close: closeCode.unauthenticated,
        });
        // Looked up first: a guessed invitation must not cost a password hash.
        if ((await store.invitation(hashOf(invite), clock.now())) === undefined) throw invalid;
        checkPassword(password);
        const username = await store.acceptInvitation(hashOf(invite), await passwords.hash(password), clock.now());
        if (username === undefined) throw invalid;
        return username;
      }),
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

function optional<Method extends object>(method: Method | undefined): Method {
  if (method === undefined) throw new Error("The store of the app does not support this: see `Store`.");
  return method;
}
