import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import type { PeerId } from "../../peer.ts";
import type {
  Credentials,
  DiscoveryEvents,
  DiscoverySession,
  OpenOptions,
  SecretKeeper,
  StoredCredentials,
} from "../discovery.ts";
import { type Accounts, checkName } from "./accounts.ts";
import type { KeptSession, Secrets } from "./secrets.ts";
import { isLoginOf, type Login, type Switchboard } from "./switchboard.ts";

/** The server that the sessions share. */
export interface MemoryServer {
  readonly clock: Clock;
  /** Of each direction, in ms. */
  readonly latency: number;
  readonly accounts: Accounts;
  readonly switchboard: Switchboard;
  readonly secrets: Secrets;
  readonly sessions: Set<MemorySession>;
  readonly secret: () => string;
  readonly mail: (email: string, invite: string) => void;
  isDown(): boolean;
}

/** A session, with the means to disturb it. */
export interface MemorySession {
  readonly session: DiscoverySession;
  login(): Login | undefined;
  /** The connection breaks. After the grace period the others see the peer as lost. */
  interrupt(): void;
  /** The connection is restored. */
  restore(): void;
  /** The server ends the session. */
  revoke(reason: BonevalueError): void;
}

const graceMs = 10_000;

/** Starts to sign in. */
export function openMemorySession(
  server: MemoryServer,
  credentials: Credentials | StoredCredentials,
  events: DiscoveryEvents,
  { app, profile, keeper: keeping }: OpenOptions,
): MemorySession {
  const { clock, accounts, switchboard, secrets } = server;
  const pending = new Set<(reason: BonevalueError) => void>();
  let state: "signing in" | "online" | "interrupted" | "over" = "signing in";
  let login: Login | undefined;
  let isConnected = true;
  let connectionCount = 0;
  let undoGrace = () => {};
  let keeper: SecretKeeper | undefined;
  let kept: KeptSession | undefined;

  const own: MemorySession = { session: createSession(), login: () => login, interrupt, restore, revoke };
  server.sessions.add(own);
  if (keeping) void claim(keeping).then((mayUse) => deliverLater(() => signIn(mayUse)));
  else deliverLater(() => signIn(true));
  return own;

  async function claim(loading: Promise<SecretKeeper | undefined>): Promise<boolean> {
    keeper = await loading;
    return !keeper || !("session" in credentials) || keeper.claim(credentials.session);
  }

  function signIn(mayUse: boolean) {
    if (state === "over") return;
    if (server.isDown()) return end(unreachable());
    try {
      const { id = server.secret(), ...who } = identify(mayUse);
      login = { id, app, ...who, profile: profile?.(), isReachable: () => isConnected, notify };
      join(login);
    } catch (error) {
      deliverLater(() => end(error as BonevalueError));
    }
  }

  /** Returns the user, and the peer id of a session that a later page can continue. */
  function identify(mayUse: boolean): Pick<Login, "username" | "room"> & { readonly id?: string } {
    if ("session" in credentials) {
      const found = secrets.find(credentials.session);
      return keep(mayUse ? found : secrets.start(found, server.secret(), found.device));
    }
    if ("device" in credentials) {
      const device = secrets.findDevice(credentials.device);
      return keep(secrets.start({ username: device.username }, server.secret(), device.id));
    }
    const who = authenticate(credentials, server);
    if (!keeper) return who;
    const device = keeper.device ? secrets.addDevice(who.username) : undefined;
    return keep(secrets.start(who, server.secret(), device?.id), device?.secret);
  }

  function keep(session: KeptSession, deviceSecret?: string) {
    kept = session;
    const { secret, peer: id, username, room } = session;
    keeper?.keep({ session: secret }, deviceSecret);
    return { username, room, id };
  }

  function join(joining: Login) {
    undoGrace();
    const snapshot = switchboard.join(joining);
    deliverLater(() => {
      state = "online";
      events.online(snapshot);
    });
  }

  function interrupt() {
    if (state === "signing in") return end(unreachable());
    if (!isConnected || !login) return;
    const lost = login;
    closeConnection(outOfReach());
    undoGrace();
    undoGrace = clock.after(graceMs, () => switchboard.leave(lost, true));
    state = "interrupted";
    events.interrupted(outOfReach());
  }

  function restore() {
    if (isConnected || !login) return;
    const returning = Object.assign(login, { profile: profile?.() });
    isConnected = true;
    deliverLater(() => join(returning));
  }

  function revoke(reason: BonevalueError) {
    if (login) switchboard.leave(login, false);
    deliverLater(() => end(reason));
  }

  function leave() {
    const left = isConnected && login;
    if (left) clock.after(server.latency, () => switchboard.leave(left, false));
    closeConnection(outOfReach());
    state = "over";
    server.sessions.delete(own);
    keeper?.release();
  }

  function end(reason: BonevalueError) {
    leave();
    events.ended(reason);
  }

  function closeConnection(reason: BonevalueError) {
    isConnected = false;
    connectionCount++;
    for (const reject of pending) reject(reason);
    pending.clear();
  }

  // A message that is under way when the connection breaks never arrives.
  function deliverLater(task: () => void) {
    const sentOn = connectionCount;
    clock.after(server.latency, () => {
      if (sentOn === connectionCount) task();
    });
  }

  function notify(emit: (events: DiscoveryEvents) => void) {
    deliverLater(() => emit(events));
  }

  function request<Result>(atServer: (username: string) => Result): Promise<Result> {
    if (state !== "online" || !login) return Promise.reject(notConnected());
    const { username, room } = login;
    if (room !== undefined) return Promise.reject(inRoom());
    return new Promise((resolve, reject) => {
      pending.add(reject);
      const settle = (finish: () => void) => {
        pending.delete(reject);
        finish();
      };
      deliverLater(() => {
        try {
          const result = atServer(username);
          deliverLater(() => settle(() => resolve(result)));
        } catch (error) {
          deliverLater(() => settle(() => reject(error)));
        }
      });
    });
  }

  function createSession(): DiscoverySession {
    return {
      signal(kind, to, signal) {
        if (state === "online" && login) deliverLater(switchboard.relay.bind(switchboard, kind, login, to, signal));
      },
      setProfile(changed) {
        const current = login;
        if (state === "online" && current)
          deliverLater(() => switchboard.updated(Object.assign(current, { profile: changed })));
        return true;
      },
      invite: (email, names) =>
        request((user) => {
          const invite = accounts.invite(user, email, names?.alias == null ? undefined : names);
          if (invite !== undefined) server.mail(email, invite);
        }),
      requestToken: (alias) => request((user) => accounts.makeToken(user, alias)),
      claimToken: (alias, token) =>
        request((user) => switchboard.trusted(user, accounts.claimToken(user, alias, token))),
      removeUser: (alias) => request((user) => switchboard.distrust(user, accounts.userNamed(user, alias))),
      changePassword: (current, password) => request((user) => changePassword(user, current, password)),
      devices: () => request((user) => secrets.devices(user, kept?.device)),
      forgetDevice: (id) => request((user) => revokeAll(secrets.forget(user, id), forgotten())),
      async close(endSession = false) {
        if (state === "over") return;
        leave();
        if (kept && endSession) revokeAll(secrets.end(kept), forgotten());
      },
    };
  }

  function revokeAll(peers: readonly PeerId[], reason: BonevalueError) {
    const ended = new Set(peers);
    for (const other of server.sessions) if (ended.has(other.login()?.id ?? "")) other.revoke(reason);
  }

  function changePassword(username: string, current: string, password: string) {
    accounts.changePassword(username, current, password);
    secrets.endOthers(username, kept);
    const reason = new BonevalueError("unauthenticated", "The password was changed. Sign in with the new one.");
    for (const other of server.sessions) if (other !== own && isLoginOf(username, other.login())) other.revoke(reason);
  }
}

function authenticate(
  credentials: Credentials,
  { accounts, switchboard }: MemoryServer,
): Pick<Login, "username" | "room"> {
  if ("username" in credentials) return { username: accounts.signIn(credentials.username, credentials.password) };
  if ("invite" in credentials) {
    const { username, inviter } = accounts.acceptInvite(credentials.invite, credentials.password);
    if (inviter !== undefined) switchboard.trusted(username, inviter);
    return { username };
  }
  if ("token" in credentials)
    throw new BonevalueError(
      "unsupported",
      "The server in memory has no tokens. Sign in with a user name and password.",
    );
  const { room, name = "" } = credentials;
  checkName(name);
  return { username: name, room };
}

function forgotten(): BonevalueError {
  return new BonevalueError("unauthenticated", "The device of this session was forgotten. Sign in again.");
}

function unreachable(): BonevalueError {
  return new BonevalueError("unreachable", "The server in memory is interrupted. Call restore(), then connect again.");
}

function outOfReach(): BonevalueError {
  return new BonevalueError("disconnected", "The server in memory is out of reach. Call restore().");
}

function inRoom(): BonevalueError {
  return new BonevalueError(
    "unsupported",
    "A room has neither users nor trust. Sign in to the server with an account.",
  );
}

function notConnected(): BonevalueError {
  return new BonevalueError(
    "not-connected",
    "The server in memory is out of reach. Ask again when the client is online.",
  );
}
