import { closeCode } from "../core/protocol/close-code.ts";
import { discoveryVersion } from "../core/protocol/messages.ts";
import type { Accounts } from "./accounts.ts";
import type { AttemptLimiter } from "./attempt-limiter.ts";
import type { Clock } from "./clock.ts";
import { noteEvery } from "./last-seen.ts";
import type { ServerLimits } from "./limits.ts";
import { checkedName } from "./names.ts";
import { Refusal } from "./refusal.ts";
import { hashOf, newPeerId, newSecret } from "./secrets.ts";
import type { Proof } from "./session.ts";
import type { Session, Store } from "./store/store.ts";

/** Whose a socket is. */
export interface SignedIn {
  readonly user: string;
  /** The peer's id. */
  readonly id: string;
  /** For coming back. */
  readonly session: string;
  /** When the app's token ends, in ms since 1970. */
  readonly expires: number | undefined;
}

/** The user behind an app's own token, or undefined. */
export type Authenticate = (token: string) => Promise<{ username: string; expires?: Date | undefined } | undefined>;

/** What signing in stands on. */
export interface SignInParts {
  readonly store: Store;
  readonly accounts: Accounts;
  readonly guard: AttemptLimiter;
  readonly clock: Clock;
  readonly limits: ServerLimits;
  readonly authenticate: Authenticate | undefined;
}

/** Turns a first frame into an identity; rejects with a refusal that closes the socket. */
export function createSignIn(parts: SignInParts): (proof: Proof, address: string) => Promise<SignedIn> {
  const { store, accounts, guard, clock, limits, authenticate } = parts;

  async function begin(user: string, password?: string): Promise<SignedIn> {
    const session = newSecret();
    const id = newPeerId();
    const row = { hash: hashOf(session), username: user, peer: id, seen: clock.now() };
    if (!(await store.addSession(row, password, limits.sessionsPerAccount))) throw overtaken();
    return { user, id, session, expires: undefined };
  }

  async function find(secret: string): Promise<Session | undefined> {
    const now = clock.now();
    const session = await store.session(hashOf(secret), now - limits.sessionAge);
    if (session && session.seen < now - noteEvery(limits.sessionAge)) await store.seen([session.peer], now);
    return session;
  }

  async function resume(secret: string): Promise<SignedIn> {
    const session = await find(secret);
    if (session === undefined) throw unauthenticated("This session has ended: sign in again.");
    return { user: session.username, id: session.peer, session: secret, expires: undefined };
  }

  async function byToken(token: string, secret: string | undefined, address: string): Promise<SignedIn> {
    if (authenticate === undefined) throw unsupported("This server signs in by user name and password.");
    const earlier = secret === undefined ? undefined : await find(secret);
    const check = () => told(authenticate, token);
    const known = await (earlier ? guard.again(earlier.username, check) : guard.proof(undefined, address, check));
    const user = checkedName(known.username);
    await accounts.ensure(user);
    const signedIn =
      secret !== undefined && earlier?.username === user
        ? { user, id: earlier.peer, session: secret }
        : await begin(user);
    return { ...signedIn, expires: known.expires?.getTime() };
  }

  return async ({ type, data }, address) => {
    if (data.version < discoveryVersion)
      throw new Refusal("incompatible", `This server speaks version ${discoveryVersion} of the protocol.`, {
        close: closeCode.incompatible,
      });
    if (type === "authenticate" && "token" in data) return byToken(data.token, data.session, address);
    if (authenticate) throw unsupported("This server signs in by its app's own tokens.");
    if (type === "acceptInvite") return begin(await accounts.accept(data.invite, data.password, address));
    if ("password" in data) {
      const { username, hash } = await accounts.check(data.username, data.password, address);
      return begin(username, hash);
    }
    if (data.session !== undefined) return resume(data.session);
    throw unauthenticated("The first frame proves nothing.");
  };
}

async function told(
  authenticate: Authenticate,
  token: string,
): Promise<{ username: string; expires?: Date | undefined }> {
  const answer = await authenticate(token);
  if (answer === undefined) throw unauthenticated("This token is not valid, or not any more.");
  return answer;
}

function unauthenticated(message: string): Refusal {
  return new Refusal("unauthenticated", message, { close: closeCode.unauthenticated });
}

function overtaken(): Refusal {
  return new Refusal("unreachable", "This password was being changed: try again.", {
    close: closeCode.overloaded,
    after: 1_000,
  });
}

function unsupported(message: string): Refusal {
  return new Refusal("unsupported", message, { close: closeCode.unauthenticated });
}
