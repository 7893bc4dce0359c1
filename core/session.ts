import type { Clock } from "./clock.ts";
import type { Credentials, Discovery, DiscoveryEvents, DiscoverySession, Snapshot } from "./discovery/discovery.ts";
import { BonevalueError } from "./errors.ts";
import type { Alias, Peer, PeerId } from "./peer.ts";
import { type Change, createPresence } from "./peers/presence.ts";
import type { Registry } from "./peers/registry.ts";
import { createLive, type Live, write } from "./reactive.ts";

/** Where a client stands with its discovery server. */
export type Status = "offline" | "connecting" | "online" | "reconnecting";

/** Who we are, as the discovery server knows us. */
export interface Self {
  readonly id: PeerId;
  readonly username: string;
}

/** What a session tells, each thing after the state has changed. */
export interface SessionEvents {
  connect(): void;
  disconnect(reason: BonevalueError | undefined): void;
  peerconnect(peer: Peer): void;
  peerdisconnect(id: PeerId): void;
  newuser(alias: Alias): void;
  userremoved(alias: Alias): void;
}

/** The part of the links that presence decides about. */
export interface SessionLinks {
  isOpen(peer: PeerId): boolean;
  setOnline(online: boolean): void;
  drop(peer: PeerId, reason: BonevalueError): void;
  closeAll(reason: BonevalueError): void;
}

/** What a session needs of its client. */
export interface SessionOptions {
  readonly discovery: Discovery;
  readonly registry: Registry;
  readonly links: SessionLinks;
  readonly clock: Clock;
  readonly events: SessionEvents;
  signal: DiscoveryEvents["signal"];
  unreachable: DiscoveryEvents["unreachable"];
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
  /** What to ask of the server. Throws `not-connected` where there is none. */
  server(): DiscoverySession;
  /** A link has closed, by which a peer that the server does not name any more was still reached. */
  unlinked(peer: PeerId): void;
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
export function createSession(options: SessionOptions): Session {
  const { discovery, registry, links, clock, events } = options;
  const status = createLive<Status>("offline");
  const self = createLive<Self | undefined>(undefined);
  let presence = createPresence(links.isOpen);
  let attempt: Attempt | undefined;
  let iceServers: readonly RTCIceServer[] = [];
  let undoExpiry = () => {};

  /** Makes every change before any is told. */
  function apply(changes: readonly Change[]): void {
    for (const change of changes) make(change);
    watchExpiry();
    for (const change of changes) tell(change);
  }

  function make(change: Change): void {
    if (change.type === "peer-added") registry.addPeer(change.peer);
    else if (change.type === "user-added") registry.addUser(change.alias);
    else if (change.type === "user-removed") registry.removeUser(change.alias);
    else if (change.type === "links-ended") links.closeAll(linkEnded("We came back as another peer."));
    else {
      registry.removePeer(change.peer.id);
      links.drop(change.peer.id, linkEnded("The peer has gone, or may no longer be talked to."));
    }
  }

  function tell(change: Change): void {
    if (change.type === "peer-added") events.peerconnect(registry.byId(change.peer.id) ?? change.peer);
    else if (change.type === "peer-removed") events.peerdisconnect(change.peer.id);
    else if (change.type === "user-added") events.newuser(change.alias);
    else if (change.type === "user-removed") events.userremoved(change.alias);
  }

  function watchExpiry(): void {
    undoExpiry();
    undoExpiry = clock.after(presence.next() - clock.now(), () => apply(presence.expire(clock.now())));
  }

  function online(mine: Attempt, snapshot: Snapshot): void {
    const before = status.peek();
    const changes = presence.snapshot(snapshot, clock.now());
    for (const change of changes) make(change);
    watchExpiry();
    write(self, Object.freeze({ ...snapshot.self }));
    write(status, "online");
    links.setOnline(true);
    // A session that moved to another socket was never away.
    if (before !== "online") events.connect();
    for (const change of changes) if (before !== "connecting" || change.type !== "user-added") tell(change);
    mine.resolve();
  }

  function interrupted(reason: BonevalueError): void {
    presence.offline(clock.now());
    watchExpiry();
    links.setOnline(false);
    write(status, "reconnecting");
    events.disconnect(reason);
  }

  /** Signs out: whoever is told next finds nothing left. */
  function leave(mine: Attempt, reason: BonevalueError | undefined, ofCalls: BonevalueError): void {
    const wasSignedIn = status.peek() !== "connecting";
    presence = createPresence(links.isOpen);
    undoExpiry();
    // While there is a server to tell those who are being dialled.
    links.closeAll(ofCalls);
    attempt = undefined;
    registry.clear();
    write(self, undefined);
    write(status, "offline");
    mine.reject(ofCalls);
    if (wasSignedIn) events.disconnect(reason);
  }

  function begin(host: string, credentials: Credentials): Attempt {
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
        online: (snapshot) => current(() => online(mine, snapshot)),
        interrupted: (reason) => current(() => interrupted(reason)),
        ended: (reason) => current(() => leave(mine, reason, reason)),
        peerConnect: (peer) => current(() => apply(presence.connect(peer))),
        peerDisconnect: (id, lost) => current(() => apply(presence.disconnect(id, lost, clock.now()))),
        userAdd: (alias) => current(() => apply(presence.userAdd(alias))),
        userRemove: (alias) => current(() => apply(presence.userRemove(alias))),
        iceServers: (servers) => current(() => (iceServers = servers)),
        signal: (kind, from, signal) => current(() => options.signal(kind, from, signal)),
        unreachable: (to) => current(() => options.unreachable(to)),
      }),
    };
    return mine;
  }

  function signOut(): Promise<void> {
    if (!attempt) return Promise.resolve();
    const { server } = attempt;
    leave(attempt, undefined, new BonevalueError("cancelled", "The client was disconnected by its own app."));
    return server.close();
  }

  return {
    status,
    self,
    iceServers: () => iceServers,
    connect(host, credentials) {
      if (attempt && attempt.host === host && sameCredentials(attempt.credentials, credentials))
        return attempt.signedIn;
      void signOut();
      attempt = begin(host, credentials);
      write(status, "connecting");
      return attempt.signedIn;
    },
    disconnect: signOut,
    signal: (kind, to, signal) => attempt?.server.signal(kind, to, signal),
    server() {
      if (!attempt) throw new BonevalueError("not-connected", "Not signed in: call connect() first.");
      return attempt.server;
    },
    unlinked: (peer) => apply(presence.unlinked(peer)),
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
