import { closeCode } from "../core/protocol/close-code.ts";
import { discoveryVersion } from "../core/protocol/messages.ts";
import type { Accounts } from "./accounts.ts";
import type { AttemptLimiter } from "./attempt-limiter.ts";
import type { Bans } from "./bans.ts";
import type { Clock } from "./clock.ts";
import type { Devices } from "./devices.ts";
import type { Member } from "./group-sessions.ts";
import { accountGroup, assignedRoomGroup, roomGroup } from "./groups.ts";
import { touchInterval } from "./last-seen.ts";
import type { ServerLimits } from "./limits.ts";
import { checkedAlias, checkedApp, checkedName, checkedRoom } from "./names.ts";
import { Refusal } from "./refusal.ts";
import { hashOf, newPeerId, newSecret } from "./secrets.ts";
import type { Proof } from "./session.ts";
import type { GuestSession, Session, Store } from "./store/store.ts";

/** The identity of a signed-in socket. */
export interface SignedIn extends Pick<Member, "app" | "group" | "user" | "name"> {
  /** The id of the peer. */
  readonly id: string;
  /** The name of the room, if it is in one. */
  readonly room: string | undefined;
  /** The session secret, for reconnecting. */
  readonly session: string;
  /** The session began with this sign-in. */
  readonly isNew: boolean;
  /** The id of the device that the session belongs to. */
  readonly device?: string | undefined;
  /** The secret of that device, if it is new. */
  readonly deviceSecret?: string | undefined;
  /** When the app's token expires, in ms since 1970. */
  readonly expires: number | undefined;
}

/** The result of a valid token: a user, or a room and the name that the others see there. */
export type Authenticated = ({ username: string } | { room: string; name: string }) & { expires?: Date | undefined };

/** Resolves to the user or the room of a token of the app, or to undefined for an invalid token. */
export type Authenticate = (token: string) => Promise<Authenticated | undefined>;

/** The other end of a socket. */
export interface ClientOrigin {
  readonly address: string;
  /** The origin of its page; undefined for a program. */
  readonly origin: string | undefined;
}

/** A guest who wants to enter a room. Both names are in NFC. */
export interface RoomJoin {
  /** The name of the room. */
  readonly room: string;
  /** The name that the guest chose for itself. */
  readonly name: string;
  /** The IP address of the client; behind a trusted proxy, the one in its X-Forwarded-For header. */
  readonly address: string;
  /** The origin of the page; undefined for a program. */
  readonly origin?: string | undefined;
}

/** Dependencies of sign-in. */
export interface SignInParts {
  readonly store: Store;
  readonly bans: Bans;
  readonly accounts: Accounts;
  /** Undefined if devices cannot be remembered. */
  readonly devices: Devices | undefined;
  readonly limiter: AttemptLimiter;
  readonly clock: Clock;
  readonly limits: ServerLimits;
  readonly authenticate: Authenticate | undefined;
  /** Whether a guest may enter a room. Undefined if the server has none. */
  readonly rooms: ((join: RoomJoin) => Promise<boolean>) | undefined;
  /** Tells the clients of these users that they trust each other now. */
  readonly trustChanged: (users: readonly string[]) => Promise<void>;
}

/** The part of an identity that does not depend on the session. */
type Identity = Pick<SignedIn, "app" | "group" | "user" | "name" | "room">;

/** Creates the function that turns a first frame into an identity. It rejects with a refusal that closes the socket. */
export function createSignIn(parts: SignInParts): (proof: Proof, client: ClientOrigin) => Promise<SignedIn> {
  const { store, bans, accounts, devices, limiter, clock, limits, authenticate, rooms } = parts;

  async function startSession(app: string, user: string, address: string, password?: string): Promise<SignedIn> {
    // A session of a banned user would work as soon as the ban ends.
    bans.check(address, user);
    const session = newSecret();
    const id = newPeerId();
    const row = { hash: hashOf(session), username: user, peer: id, app, seen: clock.now() };
    if (!(await store.addSession(row, password, limits.sessionsPerAccount))) throw passwordChanged();
    return { ...accountOf(app, user), id, session, isNew: true, expires: undefined };
  }

  /** Starts the first session of a device, if the page asks for it. */
  async function startOnDevice(
    app: string,
    user: string,
    address: string,
    { remember, password }: { readonly remember?: boolean | undefined; readonly password: string },
  ): Promise<SignedIn> {
    const signedIn = await startSession(app, user, address, password);
    if (!remember || !devices) return signedIn;
    const device = await devices.add(user, signedIn.id);
    if (device === undefined) throw passwordChanged();
    return { ...signedIn, device: device.id, deviceSecret: device.secret };
  }

  /** Starts a session without credentials, by the secret of another session or of a device. */
  async function startFrom(
    app: string,
    add: ((session: Pick<Session, "hash" | "peer" | "app" | "seen">) => Promise<Session | undefined>) | undefined,
    ended: string,
  ): Promise<SignedIn> {
    if (add === undefined) throw unsupported("This server cannot start a session without credentials.");
    const secret = newSecret();
    const session = await add({ hash: hashOf(secret), peer: newPeerId(), app, seen: clock.now() });
    if (session === undefined) throw unauthenticated(ended);
    return signedInTo(session, secret, true);
  }

  function signedInTo({ app = "", username, peer, device }: Session, session: string, isNew: boolean): SignedIn {
    return { ...accountOf(app, username), id: peer, session, isNew, device, expires: undefined };
  }

  async function fork(app: string, secret: string): Promise<SignedIn> {
    const { addSessionFrom } = store;
    // Also checks that the session belongs to this app.
    if ((await findSession(app, secret)) === undefined) throw unauthenticated(sessionEnded);
    const since = clock.now() - limits.sessionAge;
    const add =
      addSessionFrom &&
      ((session: Parameters<typeof addSessionFrom>[1]) =>
        addSessionFrom({ session: hashOf(secret) }, session, since, limits.sessionsPerAccount));
    return startFrom(app, add, sessionEnded);
  }

  function signInByDevice(app: string, secret: string): Promise<SignedIn> {
    const add = devices && ((session: Parameters<Devices["startSession"]>[1]) => devices.startSession(secret, session));
    return startFrom(app, add, "This device is not remembered any more: sign in again.");
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
    if (session === undefined) throw unauthenticated(sessionEnded);
    return signedInTo(session, secret, false);
  }

  async function findGuest(secret: string): Promise<GuestSession | undefined> {
    const now = clock.now();
    const guest = await store.guest?.(hashOf(secret), now - limits.guestAge);
    if (guest && guest.seen < now - touchInterval(limits.guestAge)) await store.seen([guest.peer], now);
    return guest;
  }

  async function startGuest(identity: Identity): Promise<SignedIn> {
    if (store.addGuest === undefined || store.guest === undefined)
      throw unsupported("The store of this server has no rooms: see `addGuest` of `Store`.");
    const session = newSecret();
    const id = newPeerId();
    const { group, name = "" } = identity;
    await store.addGuest({ hash: hashOf(session), peer: id, group, name, seen: clock.now() });
    return { ...identity, id, session, isNew: true, expires: undefined };
  }

  async function enterRoom(
    app: string,
    claim: { readonly room: string; readonly name?: string | undefined; readonly session?: string | undefined },
    client: ClientOrigin,
  ): Promise<SignedIn> {
    if (rooms === undefined) throw unsupported("This server has no rooms: set `rooms` (--rooms).");
    const room = checkedRoom(claim.room);
    const name = checkedAlias(claim.name ?? "Guest");
    const identity = { app, group: roomGroup(app, room), user: undefined, name, room };
    const earlier = claim.session === undefined ? undefined : await findGuest(claim.session);
    if (earlier && isSameGuest(earlier, identity))
      return { ...identity, id: earlier.peer, session: claim.session!, isNew: false, expires: undefined };
    await limiter.countRoomJoin(client.address);
    if (!(await rooms({ room, name, ...client })))
      throw new Refusal("forbidden", "You may not enter this room.", { close: closeCode.unauthenticated });
    return startGuest(identity);
  }

  async function signInByToken(
    app: string,
    { token, session: secret }: { readonly token: string; readonly session?: string | undefined },
    { address }: ClientOrigin,
  ): Promise<SignedIn> {
    if (authenticate === undefined) throw unsupported("This server expects a user name and a password.");
    const earlier = secret === undefined ? undefined : await findSession(app, secret);
    const guest = secret === undefined || earlier ? undefined : await findGuest(secret);
    const known = earlier?.username ?? (guest && `guest ${guest.peer}`);
    const check = () => verifyToken(authenticate, token);
    const answer = await (known === undefined
      ? limiter.limitSignIn(undefined, address, check)
      : limiter.limitResume(known, check));
    const expires = answer.expires?.getTime();
    if ("room" in answer) {
      const room = checkedRoom(answer.room);
      const name = checkedAlias(answer.name);
      const identity = { app, group: assignedRoomGroup(app, room), user: undefined, name, room };
      if (guest && isSameGuest(guest, identity))
        return { ...identity, id: guest.peer, session: secret!, isNew: false, expires };
      return { ...(await startGuest(identity)), expires };
    }
    const user = checkedName(answer.username);
    await accounts.ensure(user);
    if (earlier?.username === user)
      return { ...accountOf(app, user), id: earlier.peer, session: secret!, isNew: false, expires };
    return { ...(await startSession(app, user, address)), expires };
  }

  async function acceptInvitation(
    app: string,
    { invite, password, remember }: Extract<Proof, { type: "acceptInvite" }>["data"],
    address: string,
  ): Promise<SignedIn> {
    const { username, hash, inviter } = await accounts.accept(invite, password, address);
    if (inviter !== undefined) await parts.trustChanged([username, inviter]);
    return startOnDevice(app, username, address, { remember, password: hash });
  }

  return async ({ type, data }, client) => {
    const { address } = client;
    if (data.version < discoveryVersion)
      throw new Refusal(
        "incompatible",
        `This server speaks version ${discoveryVersion} of the protocol, but the page speaks an older one: update the app.`,
        {
          close: closeCode.incompatible,
        },
      );
    const app = checkedApp(data.app);
    // Before a password is hashed.
    bans.check(address);
    if (type === "authenticate" && "token" in data) return signInByToken(app, data, client);
    if (type === "authenticate" && "room" in data) return enterRoom(app, data, client);
    if (authenticate) throw unsupported("This server expects a token of its app.");
    if (type === "acceptInvite") return acceptInvitation(app, data, address);
    if ("password" in data) {
      const { username, hash } = await accounts.check(data.username, data.password, address);
      return startOnDevice(app, username, address, { remember: data.remember, password: hash });
    }
    if ("device" in data) return signInByDevice(app, data.device);
    if (data.session !== undefined)
      return "fork" in data && data.fork ? fork(app, data.session) : resume(app, data.session);
    throw unauthenticated("The first frame contains no credentials.");
  };
}

const sessionEnded = "This session has ended: sign in again.";

function accountOf(app: string, user: string): Identity {
  return { app, group: accountGroup(app, user), user, name: undefined, room: undefined };
}

/** The name of a peer never changes, so a guest with another name gets another peer. */
function isSameGuest(guest: GuestSession, { group, name }: Identity): boolean {
  return guest.group === group && guest.name === name;
}

async function verifyToken(authenticate: Authenticate, token: string): Promise<Authenticated> {
  const answer = await authenticate(token);
  if (answer === undefined) throw unauthenticated("This token is invalid or has expired: sign in again.");
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
