import type { BonevalueError } from "../errors.ts";
import type { Alias, Peer, PeerId } from "../peer.ts";
import type { SignalKind } from "../protocol/messages.ts";

/** How a user proves who they are. */
export type Credentials =
  | { username: string; password: string }
  /**
   * For a server with accounts of its own. A function is asked at every sign-in and return, has 30 s, and fails a first
   * sign-in with `unauthenticated`; at a return it is asked again.
   */
  | { token: string | (() => string | Promise<string>) }
  /** The first sign-in of an invited user, who chooses the password. */
  | { invite: string; password: string };

/** Finds peers and carries connection requests between them. It never sees a module's data. */
export interface Discovery {
  /**
   * Begins to sign in. What becomes of it comes through `events`, never before `open` has returned: `online`, or
   * `ended` when the first attempt fails. The caller closes the session.
   */
  open(host: string, credentials: Credentials, events: DiscoveryEvents): DiscoverySession;
}

/** The whole truth at a sign-in or a return; it replaces what was known. */
export interface Snapshot {
  readonly self: { readonly id: PeerId; readonly username: string };
  readonly users: readonly Alias[];
  /** Online peers of trusted users, and our own other logins under `"Us"`. */
  readonly peers: readonly Peer[];
}

/** What a session tells its client. One call for each thing that happened, in order. */
export interface DiscoveryEvents {
  /** Signed in, or back: after `interrupted`, or without it when the session moved to a new socket unnoticed. */
  online(snapshot: Snapshot): void;
  /** The server is out of reach; the session goes on trying to come back by itself. */
  interrupted(reason: BonevalueError): void;
  /** It is over, and nothing else is told after. Not called for our own `close`. */
  ended(reason: BonevalueError): void;
  peerConnect(peer: Peer): void;
  /** `lost`: nobody said goodbye; the peer may still be reachable by an open link. */
  peerDisconnect(id: PeerId, lost: boolean): void;
  userAdd(alias: Alias): void;
  userRemove(alias: Alias): void;
  /** For new links and ICE restarts; replaces the last. */
  iceServers(servers: readonly RTCIceServer[]): void;
  /** A relayed signal. `from` is vouched for by the server; `signal` is opaque here. */
  signal(kind: SignalKind, from: PeerId, signal: unknown): void;
  /** A signal that we sent could not be delivered: `to` is not a reachable trusted peer. */
  unreachable(to: PeerId): void;
  /** The page may have slept: what it believes of its links may be out of date. */
  woke(): void;
}

/**
 * One sign-in and all its returns. Requests reject with `not-connected` while the server is out of reach, with
 * `disconnected` when it goes before answering, and with `unsupported` where there is no server to ask.
 */
export interface DiscoverySession {
  /** Passes a signal on; dropped while the server is out of reach, since signals are made to be said again. */
  signal(kind: SignalKind, to: PeerId, signal: unknown): void;
  /** Something speaks against our network: finds out soon whether the server is still there. */
  check?(): void;
  invite(email: string): Promise<void>;
  requestToken(alias: Alias): Promise<{ readonly token: string; readonly expires: Date }>;
  claimToken(alias: Alias, token: string): Promise<void>;
  removeUser(alias: Alias): Promise<void>;
  changePassword(current: string, password: string): Promise<void>;
  /** Says goodbye and stops; resolves once the departure is on its way. Again: the same promise. */
  close(): Promise<void>;
}
