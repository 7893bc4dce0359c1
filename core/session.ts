import type { Clock } from "./clock.ts";
import type {
  Credentials,
  Discovery,
  DiscoveryEvents,
  DiscoverySession,
  SecretKeeper,
  Snapshot,
  StoredCredentials,
} from "./discovery/discovery.ts";
import { BonevalueError } from "./errors.ts";
import type { Emitter } from "./events.ts";
import type { UserIdentity } from "./identity/options.ts";
import type { Pool } from "./links/pool.ts";
import type { Alias, Peer, PeerId, Profile } from "./peer.ts";
import { type Change, createPeerList, type PeerList, type ProfileReader } from "./peers/peer-list.ts";
import type { Registry } from "./peers/registry.ts";
import type { OwnProfile } from "./profiles.ts";
import { batch, createLive, type Live, set } from "./reactive.ts";
import type { OpenRelay } from "./relay-access.ts";

/** The state of the connection to the discovery server. */
export type Status = "offline" | "connecting" | "online" | "reconnecting";

/** This client, as the discovery server knows it. */
export interface Self {
  /** The id of this peer, which it keeps over reconnects. */
  readonly id: PeerId;
  /** The user name of the account. In a room, the name that others see. */
  readonly username: string;
  /** The name of the room, if this client is in one. */
  readonly room?: string | undefined;
}

/**
 * The events of a client. Each is emitted after the state has changed.
 *
 * A sign-in fills the lists, then emits `connect`, then `peerconnect` for each peer that is online, and then resolves the
 * promise. `newuser` is emitted for users who are added later. Each loss of the server emits `disconnect`; a reconnect
 * emits `connect`, then only the differences. `disconnect()` empties the lists without a `peerdisconnect` for each peer.
 * An `error` without a listener goes to `console.error`.
 */
export interface Events {
  /** The client signed in or reconnected. */
  connect: () => void;
  /** The client lost the server, for this reason, or you signed out. */
  disconnect: (reason: BonevalueError | undefined) => void;
  /** A peer went online. */
  peerconnect: (peer: Peer) => void;
  /** The peer has another profile. `peer` has taken the place of its last object in the lists. */
  peerupdate: (peer: Peer) => void;
  /** The peer with this id went offline. */
  peerdisconnect: (peerId: PeerId) => void;
  /** Trust with a user began. */
  newuser: (alias: Alias) => void;
  /** Trust with a user ended. */
  userremoved: (alias: Alias) => void;
  /** The known identity of a user has changed. `"Us"`: a device of this user that nobody has approved. */
  identitychange: (alias: Alias, identity: UserIdentity) => void;
  /** An error that no call of this page reports, such as a lost message, or a handler that threw. `cause` is the original error. */
  error: (error: BonevalueError) => void;
}

/** The parts of a client that a session drives. */
export interface SessionOptions {
  readonly discovery: Discovery;
  readonly app: string;
  /** Returns the keeper of a new session's secrets. */
  readonly keeperFor: (
    host: string,
    credentials: Credentials | StoredCredentials,
  ) => Promise<SecretKeeper | undefined> | undefined;
  readonly registry: Registry;
  readonly pool: Pick<
    Pool<any>,
    "connectionTo" | "setOnline" | "wake" | "failRequests" | "drop" | "close" | "receive" | "onUnreachable"
  >;
  readonly ownProfile: Pick<OwnProfile, "read" | "onOnline">;
  readonly profiles: ProfileReader;
  readonly clock: Clock;
  readonly emit: Emitter<Events>["emit"];
}

/** The sign-in of a client: applies the discovery server's events to the registry and the links. */
export interface Session {
  readonly status: Live<Status>;
  readonly self: Live<Self | undefined>;
  /** The ICE servers that the discovery server provides. */
  iceServers(): readonly RTCIceServer[];
  /** Undefined if discovery offers no relay now. */
  openRelay(): OpenRelay | undefined;
  connect(host: string, credentials: Credentials | StoredCredentials): Promise<void>;
  /** The promise of the last `connect`, until the session ends. */
  current(): Promise<void> | undefined;
  /** `end` also ends a session that a later page could continue. */
  disconnect(end?: boolean): Promise<void>;
  /** Relays a signal. Drops it while there is no server. */
  signal: DiscoverySession["signal"];
  /** Sends this client's profile. Returns `undefined` while it is not online, and `false` if discovery has no profiles. */
  sendProfile(profile: Profile): boolean | undefined;
  /** Checks soon whether the server still answers. */
  check(): void;
  /** Returns the server for requests. Throws `not-connected` if there is none. */
  server(): DiscoverySession;
  /** Whether a module that is offered to `allow` serves this peer. */
  readonly serves: PeerList["serves"];
  /** A link has closed. Its peer may have been online only by this link. */
  onLinkClosed(peer: PeerId): void;
}

/** One sign-in, from `connect` until `disconnect`, a failure, or the next `connect`. */
interface SignIn {
  readonly host: string;
  readonly credentials: Credentials | StoredCredentials;
  readonly server: DiscoverySession;
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: BonevalueError) => void;
}

/**
 * Creates a session that is signed out.
 *
 * Everything is applied in one order: the registry changes first, then links close, then events are emitted. Each step
 * may run a listener of the app, and a listener may sign out or sign in again: `runSteps` then skips the rest.
 */
export function createSession(options: SessionOptions): Session {
  const { discovery, app, keeperFor, registry, pool, ownProfile, clock, emit } = options;
  const status = createLive<Status>("offline");
  const self = createLive<Self | undefined>(undefined);
  let signIn: SignIn | undefined;
  let peerList = newPeerList();
  let iceServers: readonly RTCIceServer[] = [];
  let undoExpiry = () => {};
  // Set while links close after a sign-out: their last signals go through the server that is being left.
  let leaving: DiscoverySession | undefined;

  function newPeerList(): PeerList {
    const list = createPeerList(
      registry,
      (peer) => pool.connectionTo(peer) !== undefined,
      options.profiles,
      // The client may have signed out.
      (id, profile) => peerList === list && apply(list.profileValidated(id, profile)),
    );
    return list;
  }

  function runSteps(steps: readonly (() => void)[]): void {
    const current = signIn;
    for (const step of steps) if (signIn === current) step();
  }

  function apply(changes: readonly Change[]): void {
    runSteps([
      ...changes.map((change) => () => closeLinks(change)),
      scheduleExpiry,
      ...changes.map((change) => () => emitChange(change)),
    ]);
  }

  function closeLinks(change: Change): void {
    if (change.type === "links-ended") pool.close(linkEnded("This client has a new peer id."));
    else if (change.type === "link-ended") pool.drop(change.id, peerGone());
    else if (change.type === "peer-removed")
      pool[change.keepsLink ? "failRequests" : "drop"](change.peer.id, peerGone());
  }

  function emitChange(change: Change): void {
    if (change.type === "peer-added") emit("peerconnect", change.peer);
    else if (change.type === "peer-updated") emit("peerupdate", change.peer);
    else if (change.type === "peer-removed") emit("peerdisconnect", change.peer.id);
    else if (change.type === "user-added") emit("newuser", change.alias);
    else if (change.type === "user-removed") emit("userremoved", change.alias);
  }

  function scheduleExpiry(): void {
    undoExpiry();
    undoExpiry = clock.after(peerList.nextExpiry() - clock.now(), () => apply(peerList.expire(clock.now())));
  }

  function setState(newSelf: Self | undefined, newStatus: Status): void {
    batch(() => {
      set(self, newSelf);
      set(status, newStatus);
    });
  }

  function onOnline(current: SignIn, snapshot: Snapshot): void {
    const before = status.peek();
    const changes = peerList.snapshot(snapshot, clock.now());
    // The users of a first sign-in are not new.
    const emitted = changes.filter(({ type }) => before !== "connecting" || type !== "user-added");
    runSteps([
      ...changes.map((change) => () => closeLinks(change)),
      scheduleExpiry,
      () => setState(Object.freeze({ ...snapshot.self }), "online"),
      () => pool.setOnline(true),
      ownProfile.onOnline,
      // A session that moved to another socket was online all the time.
      () => before !== "online" && emit("connect"),
      ...emitted.map((change) => () => emitChange(change)),
      current.resolve,
    ]);
  }

  function onInterrupted(reason: BonevalueError): void {
    peerList.offline(clock.now());
    scheduleExpiry();
    pool.setOnline(false);
    runSteps([() => set(status, "reconnecting"), () => emit("disconnect", reason)]);
  }

  /** Ends a sign-in. Everything is reset before the first listener runs, so a listener may sign in again. */
  function end(ended: SignIn, callReason: BonevalueError, reason?: BonevalueError, next?: SignIn): void {
    const wasSignedIn = status.peek() !== "connecting";
    signIn = next;
    iceServers = [];
    peerList = newPeerList();
    undoExpiry();
    batch(() => {
      registry.clear();
      setState(undefined, next ? "connecting" : "offline");
    });
    leaving = ended.server;
    pool.close(callReason);
    leaving = undefined;
    ended.reject(callReason);
    if (wasSignedIn) emit("disconnect", reason);
  }

  function open(host: string, credentials: Credentials | StoredCredentials): SignIn {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const ifCurrent = (run: () => void) => {
      if (signIn === opened) run();
    };
    const events: DiscoveryEvents = {
      online: (snapshot) => ifCurrent(() => onOnline(opened, snapshot)),
      interrupted: (reason) => ifCurrent(() => onInterrupted(reason)),
      ended: (reason) => ifCurrent(() => end(opened, reason, reason)),
      peerConnect: (peer) => ifCurrent(() => apply(peerList.peerConnect(peer))),
      peerDisconnect: (id, lost) => ifCurrent(() => apply(peerList.peerDisconnect(id, lost, clock.now()))),
      peerUpdate: (id, profile) => ifCurrent(() => apply(peerList.peerUpdate(id, profile))),
      userAdd: (alias) => ifCurrent(() => apply(peerList.userAdd(alias))),
      userRemove: (alias) => ifCurrent(() => apply(peerList.userRemove(alias))),
      iceServers: (servers) => ifCurrent(() => (iceServers = servers)),
      signal: (kind, from, signal) => ifCurrent(() => pool.receive(kind, from, signal)),
      unreachable: (to) => ifCurrent(() => pool.onUnreachable(to)),
      woke: () => ifCurrent(() => pool.wake()),
    };
    const keeper = keeperFor(host, credentials);
    const server = discovery.open(host, credentials, events, { app, keeper, profile: ownProfile.read });
    const opened: SignIn = { host, credentials, server, promise, resolve, reject };
    return opened;
  }

  function close(endSession = false, next?: SignIn): Promise<void> {
    if (!signIn) return Promise.resolve();
    const { server } = signIn;
    const reason = next ? "The app has called connect() again." : "The app has disconnected the client.";
    end(signIn, new BonevalueError("cancelled", reason), undefined, next);
    return server.close(endSession);
  }

  return {
    status,
    self,
    iceServers: () => iceServers,
    openRelay: () => signIn?.server.openRelay,
    connect(host, credentials) {
      if (signIn && signIn.host === host && isSame(signIn.credentials, credentials)) return signIn.promise;
      const next = open(host, credentials);
      if (signIn) void close(false, next);
      else {
        signIn = next;
        set(status, "connecting");
      }
      return next.promise;
    },
    current: () => signIn?.promise,
    disconnect: (endSession) => close(endSession),
    signal: (kind, to, signal) => (leaving ?? signIn?.server)?.signal(kind, to, signal),
    sendProfile: (profile) =>
      status.peek() === "online" ? (signIn?.server.setProfile?.(profile) ?? false) : undefined,
    check: () => signIn?.server.check?.(),
    server() {
      // A private room has no session yet.
      if (!signIn || !self.peek()) throw notConnected();
      return signIn.server;
    },
    serves: (peer, allow) => peerList.serves(peer, allow),
    onLinkClosed: (peer) => apply(peerList.onLinkClosed(peer)),
  };
}

function isSame(a: object, b: object): boolean {
  const entries = Object.entries(a);
  const other = b as Readonly<Record<string, unknown>>;
  return entries.length === Object.keys(b).length && entries.every(([key, value]) => other[key] === value);
}

function peerGone(): BonevalueError {
  return linkEnded("The peer has gone, or is no longer trusted.");
}

function linkEnded(why: string): BonevalueError {
  return new BonevalueError("disconnected", `${why} Check \`peers\` for who is online.`);
}

/** The error of everything that needs a sign-in, without one. */
export function notConnected(): BonevalueError {
  return new BonevalueError("not-connected", "Not signed in. Call connect() and wait for it.");
}
