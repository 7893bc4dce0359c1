import { closeCode } from "../core/protocol/close-code.ts";
import type { AttemptLimiter } from "./attempt-limiter.ts";
import type { Clock } from "./clock.ts";
import type { ServerLimits } from "./limits.ts";
import { canonicalName, checkedAlias, checkedEmail, checkedName, isName } from "./names.ts";
import { checkPassword, isOutdated, type Passwords } from "./passwords.ts";
import { Refusal } from "./refusal.ts";
import { hashOf, newSecret } from "./secrets.ts";
import type { Store } from "./store/store.ts";

// Whoever administers a server may set any password; people who choose their own are helped a little.
const shortestChosen = 8;

/** A one-use link for somebody who has no account yet. */
export interface Invited {
  readonly link: string;
  readonly expires: Date;
}

/** Who may sign in, and with what. Rejects with the protocol's codes. */
export interface Accounts {
  add(username: string, password: string): Promise<void>;
  /** Makes an account without a password, if there is none. */
  ensure(username: string): Promise<void>;
  /** Resolves to those who trusted it. */
  remove(username: string): Promise<readonly string[]>;
  trust(a: string, aliasOfB: string, b: string, aliasOfA: string): Promise<readonly [string, string]>;
  /** Resolves to the account, as it is spelled here, with the hash of this password. */
  check(username: string, password: string, address: string): Promise<{ username: string; hash: string }>;
  /** Rejects for an address that has an account. */
  invite(email: string): Promise<Invited>;
  /** Makes the account; resolves to its name. */
  accept(invite: string, password: string, address: string): Promise<string>;
  /** Ends all sessions but `peer`'s; resolves to its new secret. */
  changePassword(account: Changer, current: string, password: string): Promise<string>;
}

/** Who changes a password. */
export interface Changer {
  readonly user: string;
  readonly id: string;
  readonly address: string;
}

/** What accounts stand on. */
export interface AccountsParts {
  readonly store: Store;
  readonly passwords: Passwords;
  readonly guard: AttemptLimiter;
  readonly clock: Clock;
  readonly limits: ServerLimits;
  /** Where an invitation with this secret leads. */
  readonly link: (secret: string) => string;
}

/** Accounts in a store. */
export function createAccounts(parts: AccountsParts): Accounts {
  const { store, passwords, guard, clock, limits } = parts;

  function wrong(): Refusal {
    return new Refusal("unauthenticated", "The user name or the password is wrong.", {
      close: closeCode.unauthenticated,
    });
  }

  async function known(username: string): Promise<string> {
    const name = canonicalName(username);
    if ((await store.account(name)) === undefined) throw new Error(`There is no account "${username}".`);
    return name;
  }

  async function verified(username: string, password: string): Promise<string> {
    const hash = isName(username) ? (await store.account(username))?.password : undefined;
    if (!(await passwords.verify(hash, password)) || hash === undefined) throw wrong();
    return hash;
  }

  return {
    async add(username, password) {
      const name = checkedName(username);
      checkPassword(password, 1);
      if (!(await store.addAccount(name, await passwords.hash(password))))
        throw new Error(`There is an account "${name}" already.`);
    },
    async ensure(username) {
      await store.addAccount(username, undefined);
    },
    async remove(username) {
      const others = await store.removeAccount(canonicalName(username));
      if (others === undefined) throw new Error(`There is no account "${username}".`);
      return others;
    },
    async trust(a, aliasOfB, b, aliasOfA) {
      const names = [await known(a), await known(b)] as const;
      const done = await store.trust(names[0], checkedAlias(aliasOfB), names[1], checkedAlias(aliasOfA));
      if ("refused" in done)
        throw new Error(
          done.refused === "alias-taken"
            ? `"${aliasOfB}" or "${aliasOfA}" already means somebody else.`
            : `"${a}" and "${b}" trust each other already, or are the same.`,
        );
      return names;
    },
    async check(username, password, address) {
      const name = canonicalName(username);
      const hash = await guard.proof(name, address, () => verified(name, password));
      if (!isOutdated(hash)) return { username: name, hash };
      const better = await passwords.hash(password);
      return { username: name, hash: (await store.rehash(name, hash, better)) ? better : hash };
    },
    async invite(email) {
      const name = checkedEmail(email);
      if ((await store.account(name)) !== undefined) throw new Error(`"${name}" has an account already.`);
      const secret = newSecret();
      const expires = clock.now() + limits.invitationAge;
      await store.addInvitation({ hash: hashOf(secret), email: name, expires });
      return { link: parts.link(secret), expires: new Date(expires) };
    },
    accept: (invite, password, address) =>
      guard.proof(undefined, address, async () => {
        const invalid = new Refusal(
          "token-invalid",
          "This invitation is not valid, or not any more: ask for a new one.",
          {
            close: closeCode.unauthenticated,
          },
        );
        // Looked up first: a hash costs more than whoever guesses should be able to ask for.
        if ((await store.invitation(hashOf(invite), clock.now())) === undefined) throw invalid;
        checkPassword(password, shortestChosen);
        const username = await store.acceptInvitation(hashOf(invite), await passwords.hash(password), clock.now());
        if (username === undefined) throw invalid;
        return username;
      }),
    async changePassword({ user, id, address }, current, password) {
      checkPassword(password, shortestChosen);
      const hash = await guard.proof(user, address, () => verified(user, current));
      const secret = newSecret();
      const keep = { peer: id, hash: hashOf(secret) };
      if (!(await store.changePassword(user, hash, await passwords.hash(password), keep))) throw wrong();
      return secret;
    },
  };
}
