import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import { canonicalName, checkedAlias } from "./names.ts";
import { Refusal } from "./refusal.ts";
import { hashOf, newSecret } from "./secrets.ts";
import type { Store, Trusted } from "./store/store.ts";

/** Who may talk to whom. */
export interface Trust {
  /** The users whom `username` may reach, with its names for them: only those who trust it back. */
  of(username: string): Promise<ReadonlyMap<string, string>>;
  /** Those whom `username` names, whether or not they name it back. */
  named(username: string): Promise<readonly string[]>;
  /** The next reading asks anew; without a name, about everybody. */
  forget(username?: string): void;
}

/** Trust that users make themselves, by tokens. */
export function storedTrust(store: Store): Trust {
  return {
    of: async (username) => byName(await store.trusted(username)),
    named: async (username) => (await store.trusted(username)).map((trusted) => trusted.username),
    forget: () => {},
  };
}

// An app may have any number of users; what was asked long ago may be asked again.
const remembered = 100_000;

/** Trust as the app tells it, remembered until it is forgotten. Names that the protocol does not allow are logged and left out. */
export function appTrust(tell: (username: string) => Promise<readonly Trusted[]>, log: Log): Trust {
  const known = new Map<string, Promise<ReadonlyMap<string, string>>>();

  function ask(username: string): Promise<ReadonlyMap<string, string>> {
    const before = known.get(username);
    if (before) return before;
    const answer = tell(username).then((trusted) => byName(allowed(username, trusted, log)));
    known.set(username, answer);
    answer.catch(() => known.get(username) === answer && known.delete(username));
    for (const oldest of known.keys()) {
      if (known.size <= remembered) break;
      known.delete(oldest);
    }
    return answer;
  }

  return {
    async of(username) {
      const mine = [...(await ask(username))];
      const theirs = await Promise.all(mine.map(([other]) => ask(other)));
      return new Map(mine.filter((_, at) => theirs[at]?.has(username)));
    },
    named: async (username) => [...(await ask(username)).keys()],
    forget(username) {
      if (username === undefined) known.clear();
      else known.delete(username);
    },
  };
}

function allowed(owner: string, trusted: readonly Trusted[], log: Log): Trusted[] {
  const aliases = new Set<string>();
  const canonical = trusted.map(({ username, alias }) => ({ username: canonicalName(username), alias }));
  return canonical.filter(({ username, alias }) => {
    try {
      if (username === owner || aliases.has(checkedAlias(alias)))
        throw new Error("It is the user's own or used twice.");
      aliases.add(alias);
      return true;
    } catch (error) {
      log.warn({ owner, username, alias, error }, "an alias from `trusted` was left out");
      return false;
    }
  });
}

function byName(trusted: readonly Trusted[]): ReadonlyMap<string, string> {
  return new Map(trusted.map(({ username, alias }) => [username, alias]));
}

/** Tokens, and the trust that comes of them. Rejects with the protocol's codes. */
export interface Tokens {
  request(owner: string, alias: string): Promise<{ token: string; expires: number }>;
  /** Resolves to the token's maker. */
  claim(claimer: string, alias: string, token: string): Promise<string>;
  /** Resolves to whom the alias meant. */
  remove(owner: string, alias: string): Promise<string>;
}

/** `age`: how long a token works, in ms. */
export function createTokens(store: Store, clock: Clock, age: number): Tokens {
  const taken = () => new Refusal("alias-taken", "You call somebody else by this name already: choose another.");
  return {
    async request(owner, alias) {
      const token = newSecret();
      const expires = clock.now() + age;
      const added = await store.addToken({ hash: hashOf(token), owner, alias: checkedAlias(alias), expires });
      if (!added) throw taken();
      return { token, expires };
    },
    async claim(claimer, alias, token) {
      // What follows a dot is the clients' own business.
      const secret = token.split(".", 1)[0] ?? "";
      const claimed = await store.claimToken(hashOf(secret), claimer, checkedAlias(alias), clock.now());
      if ("other" in claimed) return claimed.other;
      if (claimed.refused === "alias-taken") throw taken();
      throw new Refusal("token-invalid", "This token is not valid, or not any more: ask for a new one.");
    },
    async remove(owner, alias) {
      const other = await store.untrust(owner, checkedAlias(alias));
      if (other === undefined) throw new Refusal("alias-unknown", "You call nobody by this name.");
      return other;
    },
  };
}
