import type { Clock } from "../../clock.ts";
import { BonevalueError, type ErrorCode } from "../../errors.ts";
import type { Alias } from "../../peer.ts";
import { us } from "../../protocol/alias.ts";
import { nameProblem } from "../../protocol/names.ts";
import { passwordProblem } from "../../protocol/password.ts";
import type { InvitationNames } from "../discovery.ts";

/** Users, their passwords and their aliases for each other. A refusal throws with the code that a server would send. */
export interface Accounts {
  /** Accepts any password, so that tests need none. */
  add(username: string, password: string): void;
  /** Returns the user with this name and password. */
  signIn(username: string, password: string): string;
  changePassword(username: string, current: string, password: string): void;
  /**
   * Returns a one-use secret with which the owner of `email` chooses a password. The address is then the user name. With
   * names, accepting it also makes the two trust each other; the owner of an account accepts with its password. Undefined
   * if the address has an account and there are no names.
   */
  invite(inviter: string, email: string, names?: InvitationNames): string | undefined;
  /** Returns the user, and the inviter if they trust each other now. */
  acceptInvite(invite: string, password: string): { readonly username: string; readonly inviter: string | undefined };

  /** Returns the alias of `other` for `owner`, if they trust each other. */
  aliasOf(owner: string, other: string): Alias | undefined;
  userNamed(owner: string, alias: Alias): string;
  aliases(owner: string): readonly Alias[];
  trust(a: string, aliasOfB: Alias, b: string, aliasOfA: Alias): void;
  distrust(a: string, b: string): void;
  /** Creates a one-use token for 10 minutes. It replaces an older token for the same alias. */
  makeToken(maker: string, alias: Alias): { readonly token: string; readonly expires: Date };
  /** Returns the user who made the token. */
  claimToken(claimer: string, alias: Alias, token: string): string;
}

interface Invite {
  readonly email: string;
  readonly inviter: string;
  readonly names: InvitationNames | undefined;
}

interface Token {
  readonly maker: string;
  readonly alias: Alias;
  readonly until: number;
}

const tokenAgeMs = 600_000;

/** Creates accounts without users. `secret` returns a new secret at each call. */
export function createAccounts(clock: Clock, secret: () => string): Accounts {
  const passwords = new Map<string, string>();
  const names = new Map<string, Map<Alias, string>>();
  const invites = new Map<string, Invite>();
  const tokens = new Map<string, Token>();

  const namesOf = (owner: string) => names.get(owner) ?? new Map<Alias, string>();

  function setAlias(owner: string, alias: Alias, other: string) {
    names.set(owner, namesOf(owner).set(alias, other));
  }

  function checkFree(owner: string, alias: Alias) {
    checkName(alias);
    if (namesOf(owner).has(alias)) throw refusal("alias-taken", `The alias "${alias}" is taken. Choose another alias.`);
  }

  function checkPassword(password: string) {
    const problem = passwordProblem(password);
    if (problem !== undefined) throw refusal("invalid-request", problem);
  }

  const accounts: Accounts = {
    add(username, password) {
      passwords.set(username, password);
    },
    signIn(username, password) {
      if (passwords.get(username) !== password) throw refusal("unauthenticated", "No user has this name and password.");
      return username;
    },
    changePassword(username, current, password) {
      checkPassword(password);
      accounts.add(accounts.signIn(username, current), password);
    },
    invite(inviter, email, names) {
      if (names && email === inviter) throw refusal("invalid-request", "This is your own address.");
      if (names) checkFree(inviter, names.alias.normalize());
      if (names) checkName((names.as ?? inviter).normalize());
      if (!names && passwords.has(email)) return undefined;
      const invite = secret();
      invites.set(invite, { email, inviter, names });
      return invite;
    },
    acceptInvite(invite, password) {
      const found = invites.get(invite);
      if (!found || (!found.names && passwords.has(found.email)))
        throw refusal("token-invalid", "This invitation is used or invalid. Ask for another.");
      const { email, inviter, names } = found;
      if (passwords.has(email)) accounts.signIn(email, password);
      else checkPassword(password);
      const isNew = names && !accounts.aliasOf(email, inviter);
      if (isNew) accounts.trust(inviter, names.alias, email, names.as ?? inviter);
      invites.delete(invite);
      accounts.add(email, password);
      return { username: email, inviter: isNew ? inviter : undefined };
    },

    aliasOf(owner, other) {
      if (owner === other) return us;
      for (const [alias, named] of namesOf(owner)) if (named === other) return alias;
      return undefined;
    },
    userNamed(owner, alias) {
      const named = namesOf(owner).get(alias);
      if (named === undefined) throw refusal("alias-unknown", `No user has the alias "${alias}". Check \`users\`.`);
      return named;
    },
    aliases: (owner) => [...namesOf(owner).keys()],
    trust(a, aliasOfB, b, aliasOfA) {
      [aliasOfA, aliasOfB] = [aliasOfA.normalize(), aliasOfB.normalize()];
      checkFree(a, aliasOfB);
      checkFree(b, aliasOfA);
      setAlias(a, aliasOfB, b);
      setAlias(b, aliasOfA, a);
    },
    distrust(a, b) {
      for (const [owner, other] of [
        [a, b],
        [b, a],
      ] as const) {
        namesOf(owner).delete(accounts.aliasOf(owner, other) ?? "");
      }
    },
    makeToken(maker, alias) {
      checkFree(maker, alias);
      for (const [token, made] of tokens) if (made.maker === maker && made.alias === alias) tokens.delete(token);
      const token = secret();
      tokens.set(token, { maker, alias, until: clock.now() + tokenAgeMs });
      return { token, expires: new Date(Date.now() + tokenAgeMs) };
    },
    claimToken(claimer, alias, token) {
      checkFree(claimer, alias);
      const made = tokens.get(token);
      const usable = made && clock.now() < made.until && !accounts.aliasOf(claimer, made.maker);
      if (!usable || namesOf(made.maker).has(made.alias)) {
        throw refusal("token-invalid", "This token is used, expired or invalid. Ask for another.");
      }
      tokens.delete(token);
      accounts.trust(claimer, alias, made.maker, made.alias);
      return made.maker;
    },
  };
  return accounts;
}

/** Throws `alias-reserved` for a name that can be neither an alias nor the name of a guest. */
export function checkName(name: string): void {
  const problem = nameProblem(name);
  if (problem !== undefined) throw refusal("alias-reserved", `This name ${problem}. Choose another.`);
}

function refusal(code: ErrorCode, message: string): BonevalueError {
  return new BonevalueError(code, message);
}
