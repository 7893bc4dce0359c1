import type { Clock } from "../../clock.ts";
import { BonevalueError, type ErrorCode } from "../../errors.ts";
import type { Alias } from "../../peer.ts";
import { us } from "../../protocol/alias.ts";

/** Users, their passwords, and what they call each other. What is not allowed throws with the code a server would send. */
export interface Accounts {
  add(username: string, password: string): void;
  /** The user with this name and password. */
  signIn(username: string, password: string): string;
  changePassword(username: string, current: string, password: string): void;
  /** A one-use secret with which whoever has `email` chooses a password; that address is then the user's name. */
  invite(email: string): string;
  acceptInvite(invite: string, password: string): string;

  /** What `owner` calls `other`, when each names the other. */
  aliasOf(owner: string, other: string): Alias | undefined;
  userNamed(owner: string, alias: Alias): string;
  aliases(owner: string): readonly Alias[];
  trust(a: string, aliasOfB: Alias, b: string, aliasOfA: Alias): void;
  distrust(a: string, b: string): void;
  /** One use, 10 minutes; ends an older token for the same name. */
  makeToken(maker: string, alias: Alias): { readonly token: string; readonly expires: Date };
  /** Who made the token. */
  claimToken(claimer: string, alias: Alias, token: string): string;
}

interface Token {
  readonly maker: string;
  readonly alias: Alias;
  readonly until: number;
}

const tokenLife = 600_000;
const reserved = /^(\*|Us|[0-9a-f]{32}|)$/;

/** No users yet. `secret` gives a new one at each call. */
export function createAccounts(clock: Clock, secret: () => string): Accounts {
  const passwords = new Map<string, string>();
  const names = new Map<string, Map<Alias, string>>();
  const invites = new Map<string, string>();
  const tokens = new Map<string, Token>();

  const namesOf = (owner: string) => names.get(owner) ?? new Map<Alias, string>();

  function name(owner: string, alias: Alias, other: string) {
    names.set(owner, namesOf(owner).set(alias, other));
  }

  function checkFree(owner: string, alias: Alias) {
    if (reserved.test(alias))
      throw refusal("alias-reserved", `"${alias}" has a meaning of its own. Choose another name.`);
    if (namesOf(owner).has(alias))
      throw refusal("alias-taken", `You call somebody "${alias}" already. Choose another name.`);
  }

  const accounts: Accounts = {
    add(username, password) {
      passwords.set(username, password);
    },
    signIn(username, password) {
      if (passwords.get(username) !== password)
        throw refusal("unauthenticated", "No user with this name and password.");
      return username;
    },
    changePassword(username, current, password) {
      accounts.add(accounts.signIn(username, current), password);
    },
    invite(email) {
      const invite = secret();
      invites.set(invite, email);
      return invite;
    },
    acceptInvite(invite, password) {
      const username = invites.get(invite);
      if (username === undefined)
        throw refusal("token-invalid", "This invitation was used or never made. Ask for another.");
      invites.delete(invite);
      accounts.add(username, password);
      return username;
    },

    aliasOf(owner, other) {
      if (owner === other) return us;
      for (const [alias, named] of namesOf(owner)) if (named === other) return alias;
      return undefined;
    },
    userNamed(owner, alias) {
      const named = namesOf(owner).get(alias);
      if (named === undefined) throw refusal("alias-unknown", `You call nobody "${alias}". Look at the list of users.`);
      return named;
    },
    aliases: (owner) => [...namesOf(owner).keys()],
    trust(a, aliasOfB, b, aliasOfA) {
      checkFree(a, aliasOfB);
      checkFree(b, aliasOfA);
      name(a, aliasOfB, b);
      name(b, aliasOfA, a);
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
      tokens.set(token, { maker, alias, until: clock.now() + tokenLife });
      return { token, expires: new Date(Date.now() + tokenLife) };
    },
    claimToken(claimer, alias, token) {
      checkFree(claimer, alias);
      const made = tokens.get(token);
      const usable = made && clock.now() < made.until && !accounts.aliasOf(claimer, made.maker);
      if (!usable || namesOf(made.maker).has(made.alias)) {
        throw refusal("token-invalid", "This token was used, is too old or was never for you. Ask for another.");
      }
      tokens.delete(token);
      accounts.trust(claimer, alias, made.maker, made.alias);
      return made.maker;
    },
  };
  return accounts;
}

function refusal(code: ErrorCode, message: string): BonevalueError {
  return new BonevalueError(code, message);
}
