import { type Clock, systemClock } from "../clock.ts";
import type {
  Credentials,
  Discovery,
  DiscoveryEvents,
  SecretKeeper,
  StoredCredentials,
} from "../discovery/discovery.ts";
import { BonevalueError, type ErrorCode } from "../errors.ts";
import type { Session } from "../session.ts";
import { createSecretStorage, type StoredSecret } from "./secret-storage.ts";
import { createSessionLock } from "./session-lock.ts";

// How a page stays signed in.
//
// sessionStorage has the secret of the tab's session, with which a reloaded page comes back as the same peer. The browser
// copies it to duplicated tabs. A lock decides which page uses it; another page starts a new session with it.
// localStorage has the secret of the device, with which a new tab starts a session. It is stored only for "device", or
// if there are no locks.

/** How long a client of an app stays signed in, and under which name its secrets are stored. */
export interface RememberOptions {
  readonly in: "tab" | "device";
  readonly key: string;
  readonly app: string;
}

/** The parts of the page that are used. */
export interface RememberScope {
  readonly sessionStorage?: Storage | undefined;
  readonly localStorage?: Storage | undefined;
  readonly navigator?: { readonly locks?: Pick<LockManager, "request"> | undefined } | undefined;
}

/** Stays signed in. */
export interface Remember {
  /** Returns the keeper for a sign-in, or undefined if nothing can be kept. */
  keeperFor(host: string, credentials: Credentials | StoredCredentials): SecretKeeper | undefined;
  /**
   * Signs in with the stored secret, while `isWanted` returns true. Resolves to false if nothing is stored, or if the server no
   * longer accepts it. Waits for a sign-in that has started already.
   */
  resume(isWanted: () => boolean): Promise<boolean>;
  /** Ends the session, and forgets the stored secret. */
  signOut(): Promise<void>;
}

/** The parts of a client that are used. */
export interface RememberParts {
  readonly session: Pick<Session, "status" | "connect" | "disconnect" | "current">;
  readonly discovery: Discovery;
  readonly clock?: Clock;
  readonly scope?: RememberScope;
}

/** Creates the memory of one client. It reads and writes nothing yet. */
export function createRemember(
  { in: wanted, key, app }: RememberOptions,
  { session, discovery, clock = systemClock, scope = globalThis as RememberScope }: RememberParts,
): Remember {
  const name = `bonevalue:${key}`;
  const tab = createSecretStorage(() => scope.sessionStorage, name);
  const device = createSecretStorage(() => scope.localStorage, name);
  const locks = tab.isAvailable ? scope.navigator?.locks : undefined;
  const lock = locks && createSessionLock(locks, clock);
  const usesDevice = device.isAvailable && (wanted === "device" || lock === undefined);

  function keeperFor(host: string, credentials: Credentials | StoredCredentials): SecretKeeper | undefined {
    // The app decides how long its own tokens are valid, and guests have no account.
    const keepsDevice = usesDevice && !("token" in credentials || "room" in credentials);
    if (!lock && !keepsDevice) return undefined;
    const { username, room, as = username ?? room } = credentials as Readonly<Record<string, string | undefined>>;
    const passed = as === undefined ? {} : { as };
    return {
      device: keepsDevice,
      claim: async (secret) => (lock ? lock.claim(secret) : true),
      async keep(stored, newDevice) {
        if (newDevice !== undefined) device.write({ host, credentials: { device: newDevice, ...passed } });
        // Not before the lock: a copy of this tab must not use the session.
        if ("session" in stored && (await lock?.claim(stored.session)))
          tab.write({ host, credentials: { ...stored, ...passed } });
      },
      release: () => lock?.release(),
    };
  }

  async function resume(isWanted: () => boolean): Promise<boolean> {
    for (const storage of [...(lock ? [tab] : []), ...(usesDevice ? [device] : [])]) {
      if (!isWanted()) throw new BonevalueError("cancelled", "The app has disconnected the client.");
      const started = session.current();
      if (started) return started.then(() => true);
      const stored = storage.read();
      if (stored && (await signIn(stored))) return true;
      if (stored) storage.remove();
    }
    return false;
  }

  async function signIn({ host, credentials }: StoredSecret): Promise<boolean> {
    try {
      await session.connect(host, credentials);
      return true;
    } catch (error) {
      if (isRefused(error)) return false;
      throw error;
    }
  }

  async function signOut(): Promise<void> {
    const wasOnline = session.status.peek() === "online";
    const stored = tab.read() ?? device.read();
    tab.remove();
    device.remove();
    await session.disconnect(true);
    if (!wasOnline && stored) await endRemotely(stored);
  }

  /** Ends a session that has no socket. */
  async function endRemotely({ host, credentials }: StoredSecret): Promise<void> {
    // A session of its own: this client may sign in again meanwhile.
    const ownLock = locks && createSessionLock(locks, clock);
    // A copy that another tab uses is the other tab's.
    if ("session" in credentials && ownLock && !(await ownLock.claim(credentials.session))) return;
    const { promise: online, resolve, reject } = Promise.withResolvers<void>();
    const opened = discovery.open(host, credentials, { ...silent, online: () => resolve(), ended: reject }, { app });
    try {
      await online;
      await opened.close(true);
    } catch (error) {
      if (!isRefused(error)) throw error;
    } finally {
      ownLock?.release();
    }
  }

  return { keeperFor, resume, signOut };
}

const ignore = () => {};

const silent: DiscoveryEvents = {
  online: ignore,
  interrupted: ignore,
  ended: ignore,
  peerConnect: ignore,
  peerDisconnect: ignore,
  peerUpdate: ignore,
  userAdd: ignore,
  userRemove: ignore,
  iceServers: ignore,
  signal: ignore,
  unreachable: ignore,
  woke: ignore,
};

const refusals: ReadonlySet<ErrorCode> = new Set(["unauthenticated", "unsupported"]);

/** Whether the server does not accept the credentials any more. Errors with a cause are this page's, as of its key store. */
function isRefused(error: unknown): boolean {
  return error instanceof BonevalueError && refusals.has(error.code) && error.cause === undefined;
}
