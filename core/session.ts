import type { Clock } from "./clock.ts";
import type { Credentials, Discovery, DiscoverySession, Snapshot } from "./discovery/discovery.ts";
import { BonevalueError } from "./errors.ts";
import type { Emitter } from "./events.ts";
import type { Pool } from "./links/pool.ts";
import type { Alias, Peer, PeerId } from "./peer.ts";
import { type Change, createPeerList, type PeerList } from "./peers/peer-list.ts";
import type { Registry } from "./peers/registry.ts";
import { batch, createLive, type Live, set } from "./reactive.ts";

/** Where a client stands with its discovery server. */
export type Status = "offline" | "connecting" | "online" | "reconnecting";

/** Who we are, as the discovery server knows us. */
export interface Self {
  readonly id: PeerId;
  readonly username: string;
}

/**
 * State changes first, then its event. Signing in: lists, `connect`, `peerconnect` for each peer already online, then the
 * promise. `newuser` is for users added later. `disconnect` at every loss of the server; at a return `connect`, then only
 * the differences. `disconnect()` empties the lists without a `peerdisconnect` for each. An `error` that nobody listens
 * to goes to `console.error`.
 */
export interface Events {
  connect: () => void;
  disconnect: (reason: BonevalueError | undefined) => void;
  peerconnect: (peer: Peer) => void;
  peerdisconnect: (peerId: PeerId) => void;
  newuser: (alias: Alias) => void;
  userremoved: (alias: Alias) => void;
  error: (error: BonevalueError) => void;
}

/** What a session needs of its client. */
export interface SessionOptions {
  readonly discovery: Discovery;
  readonly registry: Registry;
  /** The links, which presence decides about, and which their signals are for. */
  readonly pool: Pick<
    Pool<any>,
    "connectionTo" | "setOnline" | "wake" | "drop" | "close" | "receive" | "onUnreachable"
  >;
  readonly clock: Clock;
  /** Told of each thing after the state has changed. */
  readonly emit: Emitter<Events>["emit"];
}

/** Being signed in: keeps the registry as the discovery server tells it. */
export interface Session {
  readonly status: Live<Status>;
  readonly self: Live<Self | undefined>;
  /** The servers that the discovery server names. */
  iceServers(): readonly RTCIceServer[];
  connect(host: string, credentials: Credentials): Promise<void>;
  disconnect(): Promise<void>;
  /** Passes a signal on; lost while there is no server. */
  signal: DiscoverySession["signal"];
  /** Makes sure that the server is still there. */
  check(): void;
  /** What to ask of the server. Throws `not-connected` where there is none. */
  server(): DiscoverySession;
  /** A link has closed, by which a peer that the server does not name any more was still reached. */
  onLinkClosed(peer: PeerId): void;
}

interface Attempt {
  readonly host: string;
  readonly credentials: Credentials;
  readonly signedIn: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: BonevalueError) => void;
  readonly server: DiscoverySession;
}

/** A session that is signed out. */
export function createSession({ discovery, registry, pool, clock, emit }: SessionOptions): Session {
  const status = createLive<Status>("offline");
  const self = createLive<Self | undefined>(undefined);
  let peerList = newPeerList();
  let attempt: Attempt | undefined;
  // Those who are being dialed are told that we leave: by the server that we leave.
  let leaving: DiscoverySession | undefined;
  let iceServers: readonly RTCIceServer[] = [];
  let undoExpiry = () => {};

  function newPeerList(): PeerList {
    return createPeerList(registry, (peer) => pool.connectionTo(peer) !== undefined);
  }

  /** Ends every link that has to go before anything is told. */
  function apply(changes: readonly Change[]): void {
    runSteps([
      ...changes.map((change) => () => closeLinks(change)),
      watchExpiry,
      ...changes.map((change) => () => emitChange(change)),
    ]);
  }

  /** Each step may run code of the app's, which may sign out: then the rest is over as well. */
  function runSteps(steps: readonly (() => void)[]): void {
    const mine = attempt;
    for (const step of steps) if (attempt === mine) step();
  }

  function closeLinks(change: Change): void {
    if (change.type === "links-ended") pool.close(linkEnded("We came back as another peer."));
    else if (change.type === "peer-removed") {
      pool.drop(change.peer.id, linkEnded("The peer has gone, or may no longer be talked to."));
    }
  }

  function emitChange(change: Change): void {
    if (change.type === "peer-added") emit("peerconnect", change.peer);
    else if (change.type === "peer-removed") emit("peerdisconnect", change.peer.id);
    else if (change.type === "user-added") emit("newuser", change.alias);
    else if (change.type === "user-removed") emit("userremoved", change.alias);
  }

  function watchExpiry(): void {
    undoExpiry();
    undoExpiry = clock.after(peerList.nextExpiry() - clock.now(), () => apply(peerList.expire(clock.now())));
  }

  function onOnline(mine: Attempt, snapshot: Snapshot): void {
    const before = status.peek();
    const changes = peerList.snapshot(snapshot, clock.now());
    const told = changes.filter(({ type }) => before !== "connecting" || type !== "user-added");
    runSteps([
      ...changes.map((change) => () => closeLinks(change)),
      watchExpiry,
      () => setSelf(Object.freeze({ ...snapshot.self }), "online"),
      () => pool.setOnline(true),
      // A session that moved to another socket was never away.
      () => before !== "online" && emit("connect"),
      ...told.map((change) => () => emitChange(change)),
      mine.resolve,
    ]);
  }

  function setSelf(who: Self | undefined, where: Status): void {
    batch(() => {
      set(self, who);
      set(status, where);
    });
  }

  function onInterrupted(reason: BonevalueError): void {
    peerList.offline(clock.now());
    watchExpiry();
    pool.setOnline(false);
    runSteps([() => set(status, "reconnecting"), () => emit("disconnect", reason)]);
  }

  /** Ends an attempt, for `next` where there is one: whoever is told finds nothing of it left, and may begin another. */
  function endAttempt(left: Attempt, ofCalls: BonevalueError, reason?: BonevalueError, next?: Attempt): void {
    const wasSignedIn = status.peek() !== "connecting";
    attempt = next;
    iceServers = [];
    peerList = newPeerList();
    undoExpiry();
    batch(() => {
      registry.clear();
      setSelf(undefined, next ? "connecting" : "offline");
    });
    leaving = left.server;
    pool.close(ofCalls);
    leaving = undefined;
    left.reject(ofCalls);
    if (wasSignedIn) emit("disconnect", reason);
  }

  function open(host: string, credentials: Credentials): Attempt {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const current = (run: () => void) => {
      if (attempt === mine) run();
    };
    const mine: Attempt = {
      host,
      credentials,
      signedIn: promise,
      resolve,
      reject,
      server: discovery.open(host, credentials, {
        online: (snapshot) => current(() => onOnline(mine, snapshot)),
        interrupted: (reason) => current(() => onInterrupted(reason)),
        ended: (reason) => current(() => endAttempt(mine, reason, reason)),
        peerConnect: (peer) => current(() => apply(peerList.peerConnect(peer))),
        peerDisconnect: (id, lost) => current(() => apply(peerList.peerDisconnect(id, lost, clock.now()))),
        userAdd: (alias) => current(() => apply(peerList.userAdd(alias))),
        userRemove: (alias) => current(() => apply(peerList.userRemove(alias))),
        iceServers: (servers) => current(() => (iceServers = servers)),
        signal: (kind, from, signal) => current(() => pool.receive(kind, from, signal)),
        unreachable: (to) => current(() => pool.onUnreachable(to)),
        woke: () => current(() => pool.wake()),
      }),
    };
    return mine;
  }

  function signOut(next?: Attempt): Promise<void> {
    if (!attempt) return Promise.resolve();
    const { server } = attempt;
    endAttempt(
      attempt,
      new BonevalueError("cancelled", "The client was disconnected by its own app."),
      undefined,
      next,
    );
    return server.close();
  }

  return {
    status,
    self,
    iceServers: () => iceServers,
    connect(host, credentials) {
      if (attempt && attempt.host === host && sameCredentials(attempt.credentials, credentials))
        return attempt.signedIn;
      // The app's own object may be a form, which changes.
      const mine = open(host, { ...credentials });
      if (attempt) void signOut(mine);
      else {
        attempt = mine;
        set(status, "connecting");
      }
      return mine.signedIn;
    },
    disconnect: () => signOut(),
    signal: (kind, to, signal) => (leaving ?? attempt?.server)?.signal(kind, to, signal),
    check: () => attempt?.server.check?.(),
    server() {
      if (!attempt) throw new BonevalueError("not-connected", "Not signed in: call connect() first.");
      return attempt.server;
    },
    onLinkClosed: (peer) => apply(peerList.onLinkClosed(peer)),
  };
}

function sameCredentials(a: Credentials, b: Credentials): boolean {
  const entries = Object.entries(a);
  const other = b as Readonly<Record<string, unknown>>;
  return entries.length === Object.keys(b).length && entries.every(([key, value]) => other[key] === value);
}

function linkEnded(why: string): BonevalueError {
  return new BonevalueError("disconnected", `${why} Look at \`peers\` for who is online now.`);
}
