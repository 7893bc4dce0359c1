import { closeCode } from "../core/protocol/close-code.ts";
import { discoveryVersion } from "../core/protocol/messages.ts";
import type { Accounts } from "./accounts.ts";
import type { AttemptLimiter } from "./attempt-limiter.ts";
import type { Clock } from "./clock.ts";
import type { Member } from "./group-sessions.ts";
import { accountGroup } from "./groups.ts";
import { touchInterval } from "./last-seen.ts";
import type { ServerLimits } from "./limits.ts";
import { checkedApp, checkedName } from "./names.ts";
import { Refusal } from "./refusal.ts";
import { hashOf, newPeerId, newSecret } from "./secrets.ts";
import type { Proof } from "./session.ts";
import type { Session, Store } from "./store/store.ts";

/** The identity of a signed-in socket. */
export interface SignedIn extends Pick<Member, "app" | "group" | "user" | "name"> {
  /** The id of the peer. */
  readonly id: string;
  /** The session secret, for reconnecting. */
  readonly session: string;
  /** When the app's token expires, in ms since 1970. */
  readonly expires: number | undefined;
}

/** Resolves to the user of a token of the app, or to undefined for an invalid token. */
export type Authenticate = (token: string) => Promise<{ username: string; expires?: Date | undefined } | undefined>;

/** Dependencies of sign-in. */
export interface SignInParts {
  readonly store: Store;
  readonly accounts: Accounts;
  readonly limiter: AttemptLimiter;
  readonly clock: Clock;
  readonly limits: ServerLimits;
  readonly authenticate: Authenticate | undefined;
  /** Tells the clients of these users that they trust each other now. */
  readonly trustChanged: (users: readonly string[]) => Promise<void>;
}

/** Creates the function that turns a first frame into an identity. It rejects with a refusal that closes the socket. */
export function createSignIn(parts: SignInParts): (proof: Proof, address: string) => Promise<SignedIn> {
  const { store, accounts, limiter, clock, limits, authenticate } = parts;

  async function startSession(app: string, user: string, password?: string): Promise<SignedIn> {
    const session = newSecret();
    const id = newPeerId();
    const row = { hash: hashOf(session), username: user, peer: id, app, seen: clock.now() };
    if (!(await store.addSession(row, password, limits.sessionsPerAccount))) throw passwordChanged();
    return { ...accountOf(app, user), id, session, expires: undefined };
  }

  async function findSession(app: string, secret: string): Promise<Session | undefined> {
    const now = clock.now();
    const session = await store.session(hashOf(secret), now - limits.sessionAge);
    if ((session?.app ?? "") !== app) return undefined;
    if (session && session.seen < now - touchInterval(limits.sessionAge)) await store.seen([session.peer], now);
    return session;
  }

  async function resume(app: string, secret: string): Promise<SignedIn> {
    const session = await findSession(app, secret);
    if (session === undefined) throw unauthenticated("This session has ended: sign in again.");
    return { ...accountOf(app, session.username), id: session.peer, session: secret, expires: undefined };
  }

  async function signInByToken(
    app: string,
    { token, session: secret }: { readonly token: string; readonly session?: string | undefined },
    address: string,
  ): Promise<SignedIn> {
    if (authenticate === undefined) throw unsupported("This server expects a user name and a password.");
    const earlier = secret === undefined ? undefined : await findSession(app, secret);
    const check = () => verifyToken(authenticate, token);
    const known = await (earlier
      ? limiter.limitResume(earlier.username, check)
      : limiter.limitSignIn(undefined, address, check));
    const user = checkedName(known.username);
    await accounts.ensure(user);
    const signedIn =
      secret !== undefined && earlier?.username === user
        ? { ...accountOf(app, user), id: earlier.peer, session: secret }
        : await startSession(app, user);
    return { ...signedIn, expires: known.expires?.getTime() };
  }

  async function acceptInvitation(app: string, invite: string, password: string, address: string): Promise<SignedIn> {
    const { username, hash, inviter } = await accounts.accept(invite, password, address);
    if (inviter !== undefined) await parts.trustChanged([username, inviter]);
    return startSession(app, username, hash);
  }

  return async ({ type, data }, address) => {
    if (data.version < discoveryVersion)
      throw new Refusal("incompatible", `This server speaks version ${discoveryVersion} of the protocol.`, {
        close: closeCode.incompatible,
      });
    const app = checkedApp(data.app);
    if (type === "authenticate" && "token" in data) return signInByToken(app, data, address);
    if (authenticate) throw unsupported("This server expects a token of its app.");
    if (type === "acceptInvite") return acceptInvitation(app, data.invite, data.password, address);
    if ("room" in data) throw unsupported("This server has no rooms.");
    if ("password" in data) {
      const { username, hash } = await accounts.check(data.username, data.password, address);
      return startSession(app, username, hash);
    }
    if (data.session !== undefined) return resume(app, data.session);
    throw unauthenticated("The first frame contains no credentials.");
  };
}

function accountOf(app: string, user: string): Pick<SignedIn, "app" | "group" | "user" | "name"> {
  return { app, group: accountGroup(app, user), user, name: undefined };
}

async function verifyToken(
  authenticate: Authenticate,
  token: string,
): Promise<{ username: string; expires?: Date | undefined }> {
  const answer = await authenticate(token);
  if (answer === undefined) throw unauthenticated("This token is invalid or has expired.");
  return answer;
}

function unauthenticated(message: string): Refusal {
  return new Refusal("unauthenticated", message, { close: closeCode.unauthenticated });
}

function passwordChanged(): Refusal {
  return new Refusal("unreachable", "The password was changed at the same moment: try again.", {
    close: closeCode.overloaded,
    after: 1_000,
  });
}

function unsupported(message: string): Refusal {
  return new Refusal("unsupported", message, { close: closeCode.unauthenticated });
}
