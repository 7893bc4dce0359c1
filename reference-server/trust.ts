import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import { canonicalName, checkedAlias } from "./names.ts";
import { aliasTaken, Refusal } from "./refusal.ts";
import { hashOf, newSecret } from "./secrets.ts";
import type { Store, Trusted } from "./store/store.ts";

/** The source of trust between users. */
export interface Trust {
  /** The users whom `username` trusts and who trust it back, with its aliases for them. */
  of(username: string): Promise<ReadonlyMap<string, string>>;
  /** The users whom `username` trusts, whether or not they trust it back. */
  namesOf(username: string): Promise<readonly string[]>;
  /** Drops the cached answer for a user; without a name, all cached answers. */
  invalidate(username?: string): void;
}

/** Creates trust that users establish themselves, with tokens. */
export function storedTrust(store: Store): Trust {
  return {
    of: async (username) => aliasesByUser(await store.trusted(username)),
    namesOf: async (username) => (await store.trusted(username)).map((trusted) => trusted.username),
    invalidate: () => {},
  };
}

// Bounds the memory of the cache; the oldest answers are dropped first.
const maxCachedUsers = 100_000;

/** Creates trust read from the app's `trusted`, cached until it is invalidated. Aliases that the protocol does not allow are logged and left out. */
export function appTrust(readTrusted: (username: string) => Promise<readonly Trusted[]>, log: Log): Trust {
  const cache = new Map<string, Promise<ReadonlyMap<string, string>>>();

  function read(username: string): Promise<ReadonlyMap<string, string>> {
    const before = cache.get(username);
    if (before) return before;
    const answer = readTrusted(username).then((trusted) => aliasesByUser(filterAllowed(username, trusted, log)));
    cache.set(username, answer);
    answer.catch(() => cache.get(username) === answer && cache.delete(username));
    for (const oldest of cache.keys()) {
      if (cache.size <= maxCachedUsers) break;
      cache.delete(oldest);
    }
    return answer;
  }

  return {
    async of(username) {
      const mine = [...(await read(username))];
      const theirs = await Promise.all(mine.map(([other]) => read(other)));
      return new Map(mine.filter((_, at) => theirs[at]?.has(username)));
    },
    namesOf: async (username) => [...(await read(username)).keys()],
    invalidate(username) {
      if (username === undefined) cache.clear();
      else cache.delete(username);
    },
  };
}

function filterAllowed(owner: string, trusted: readonly Trusted[], log: Log): Trusted[] {
  const aliases = new Set<string>();
  const canonical = trusted.map(({ username, alias }) => ({
    username: canonicalName(username),
    alias: alias.normalize("NFC"),
  }));
  return canonical.filter(({ username, alias }) => {
    try {
      if (username === owner || aliases.has(checkedAlias(alias)))
        throw new Error(
          "The alias is for the user itself, or for two users: return each user once, under an alias of its own.",
        );
      aliases.add(alias);
      return true;
    } catch (error) {
      log.warn({ owner, username, alias, error }, "ignored an alias from `trusted`");
      return false;
    }
  });
}

function aliasesByUser(trusted: readonly Trusted[]): ReadonlyMap<string, string> {
  return new Map(trusted.map(({ username, alias }) => [username, alias]));
}

/** Tokens that establish trust. Rejects with the codes of the protocol. */
export interface Tokens {
  request(owner: string, alias: string): Promise<{ token: string; expires: number }>;
  /** Resolves to the owner of the token. */
  claim(claimer: string, alias: string, token: string): Promise<string>;
  /** Resolves to the user behind the alias. */
  remove(owner: string, alias: string): Promise<string>;
}

/** Creates tokens in a store. `age`: their lifetime in ms. */
export function createTokens(store: Store, clock: Clock, age: number): Tokens {
  return {
    async request(owner, alias) {
      const token = newSecret();
      const expires = clock.now() + age;
      const added = await store.addToken({ hash: hashOf(token), owner, alias: checkedAlias(alias), expires });
      if (!added) throw aliasTaken();
      return { token, expires };
    },
    async claim(claimer, alias, token) {
      // Clients may append data of their own after a dot.
      const secret = token.split(".", 1)[0] ?? "";
      const claimed = await store.claimToken(hashOf(secret), claimer, checkedAlias(alias), clock.now());
      if ("other" in claimed) return claimed.other;
      if (claimed.refused === "alias-taken") throw aliasTaken();
      throw new Refusal("token-invalid", "This token is invalid or has expired: ask for a new one.");
    },
    async remove(owner, alias) {
      const other = await store.untrust(owner, checkedAlias(alias));
      if (other === undefined) throw new Refusal("alias-unknown", "You have no user with this alias.");
      return other;
    },
  };
}
