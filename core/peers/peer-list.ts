import { type Alias, loginOf, noProfile, type Peer, type PeerId, type PeerInfo, type Profile } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import { matches, type Query } from "./query.ts";
import type { Registry } from "./registry.ts";

/**
 * One change of the registry, or of the links. A removed peer also loses its link, unless it `keepsLink` for its last frames: then
 * `link-ended` follows, if the link does not close before. `links-ended` ends all links.
 */
export type Change =
  | { readonly type: "peer-added"; readonly peer: Peer }
  | { readonly type: "peer-updated"; readonly peer: Peer }
  | { readonly type: "peer-removed"; readonly peer: Peer; readonly keepsLink?: true }
  | { readonly type: "link-ended"; readonly id: PeerId }
  | { readonly type: "user-added"; readonly alias: Alias }
  | { readonly type: "user-removed"; readonly alias: Alias }
  | { readonly type: "links-ended" };

/** The complete state that a server sends at a sign-in or reconnect. */
export interface PeerSnapshot {
  readonly self: { readonly id: PeerId; readonly room?: string | undefined };
  readonly users: readonly Alias[];
  readonly peers: readonly PeerInfo[];
}

/** Reads the profiles that peers send. */
export interface ProfileReader {
  /** Returns the JSON of what the peer said; `"{}"` for what is no profile. */
  encode(peer: PeerInfo): string;
  /** Returns the validated profile, later where the schema takes time. An invalid one reads as `{}`. */
  validate(peer: PeerInfo, text: string): Profile | Promise<Profile>;
}

/**
 * Applies the server's presence to a registry, with aliases in NFC. Each method returns its changes in the order in which
 * they are emitted: a user is added before its peers and removed after them. `now` is a monotonic time in ms.
 */
export interface PeerList {
  /** The client is online with this state. Peers that are absent from it are removed after a grace period. */
  snapshot(snapshot: PeerSnapshot, now: number): readonly Change[];
  /** The client is offline. No timer runs until the next snapshot. */
  offline(now: number): void;
  peerConnect(peer: PeerInfo): readonly Change[];
  /** The peer has another profile. Ignores an unknown peer. */
  peerUpdate(id: PeerId, profile: unknown): readonly Change[];
  /** The schema has returned this profile of the peer. */
  profileValidated(id: PeerId, profile: Profile): readonly Change[];
  /**
   * `lost`: the peer left without `bye`. It stays while its link is open, for at most 60 s. Any other peer is removed at
   * once, and its link stays for at most 2 s.
   */
  peerDisconnect(id: PeerId, lost: boolean, now: number): readonly Change[];
  userAdd(alias: Alias): readonly Change[];
  userRemove(alias: Alias): readonly Change[];
  /**
   * Whether a module that is offered to `allow` serves this peer: it matches, and it is in the registry, or its link stays
   * although it has left.
   */
  serves(peer: Peer, allow: Query): boolean;
  /** The link to a peer has closed: `isLinked` returns false for it. */
  onLinkClosed(id: PeerId): readonly Change[];
  /** Removes the peers whose time is over at `now`. */
  expire(now: number): readonly Change[];
  /** The time of the next call of `expire`; `Infinity` if no timer runs. */
  nextExpiry(): number;
}

interface PendingRemoval {
  readonly why: "missing" | "lost" | "left";
  readonly until: number;
  /** Set if it has left: it is no longer in the registry. */
  readonly peer?: Peer;
  /** The alias of the user of a peer that has left. */
  readonly alias?: Alias | undefined;
}

const missingTimeoutMs = 20_000;
const lostTimeoutMs = 60_000;
const leftTimeoutMs = 2_000;

/**
 * Creates a list for an empty `registry`. `isLinked` tells whether a peer has an open link. `onValidated` is called with
 * profiles whose schema took time, unless the peer has sent another one in the meantime.
 *
 * A peer that the server no longer lists may still exist: after an outage of the server it reconnects a little later than
 * this client, and with an open link it remains reachable while its own connection to the server is broken. Removing it at
 * once would close that link and end its calls. So a peer that disappears is removed in two steps:
 *
 * - *missing*: absent from a snapshot, although its user is present. It has 20 s to reappear, then it is lost.
 * - *lost*: gone without `bye`. Without a link it is removed at once; with one, when the link closes or after 60 s.
 *
 * A peer that sent `bye`, or whose user is removed, is removed at once in any state. The server's report can overtake what
 * the peer sent last on its link. So the link of a peer that has *left* stays until it closes, for at most 2 s, unless its
 * user is removed.
 *
 * Time that this client spends offline does not count, because no peer can reappear then: `offline` stops the timers, and
 * the next snapshot postpones them. If this client gets a new peer id, its links end, and with them every lost peer.
 */
export function createPeerList(
  registry: Registry,
  isLinked: (id: PeerId) => boolean,
  profiles: ProfileReader,
  onValidated: (id: PeerId, profile: Profile) => void,
): PeerList {
  const pendingRemovals = new Map<PeerId, PendingRemoval>();
  // The JSON of the profiles that are not empty.
  const profileTexts = new Map<PeerId, string>();
  let self: PeerSnapshot["self"] | undefined;
  let offlineSince: number | undefined;

  function* removePeer(id: PeerId): Iterable<Change> {
    const peer = registry.removePeer(id);
    const hasLeft = pendingRemovals.get(id)?.peer;
    pendingRemovals.delete(id);
    profileTexts.delete(id);
    if (peer) yield { type: "peer-removed", peer };
    else if (hasLeft) yield { type: "link-ended", id };
  }

  function* leave(id: PeerId, now: number): Iterable<Change> {
    if (!isLinked(id)) return yield* removePeer(id);
    const alias = registry.aliasOf(id);
    const peer = registry.removePeer(id);
    if (!peer) return;
    profileTexts.delete(id);
    pendingRemovals.set(id, { why: "left", until: now + leftTimeoutMs, peer, alias });
    yield { type: "peer-removed", peer, keepsLink: true };
  }

  function* addPeer(peer: PeerInfo): Iterable<Change> {
    const { id, name } = peer;
    if (id === self?.id) return;
    if (registry.byId(id)?.name === name) {
      pendingRemovals.delete(id);
      return yield* updatePeer(peer);
    }
    // The names of a room are chosen freely, so nothing else than showing a peer may depend on its name.
    const alias = self?.room === undefined ? name : undefined;
    yield* removePeer(id);
    if (alias !== undefined) yield* addUser(alias);
    yield { type: "peer-added", peer: registry.addPeer({ id, name, profile: readProfile(peer) }, alias) };
  }

  function* updatePeer(info: PeerInfo): Iterable<Change> {
    const profile = readProfile(info);
    if (profile) yield* setProfile(info.id, profile);
  }

  function* setProfile(id: PeerId, profile: Profile): Iterable<Change> {
    const peer = registry.updatePeer(id, profile);
    if (peer) yield { type: "peer-updated", peer };
  }

  /** Returns the profile if it has changed. */
  function readProfile(peer: PeerInfo): Profile | undefined {
    const { id } = peer;
    const text = profiles.encode(peer);
    if (text === profileTexts.get(id)) return undefined;
    // A peer that says nothing is not validated.
    if (text === "{}") return profileTexts.delete(id) ? noProfile : undefined;
    profileTexts.set(id, text);
    const profile = profiles.validate(peer, text);
    if (!(profile instanceof Promise)) return profile;
    void profile.then((validated) => profileTexts.get(id) === text && onValidated(id, validated));
    return undefined;
  }

  function* addUser(alias: Alias): Iterable<Change> {
    if (alias === us || registry.hasUser(alias)) return;
    registry.addUser(alias);
    yield { type: "user-added", alias };
  }

  function* removeUser(alias: Alias): Iterable<Change> {
    if (!registry.hasUser(alias)) return;
    for (const { id } of registry.ofUser(alias)) yield* removePeer(id);
    for (const [id, left] of pendingRemovals) if (left.alias === alias) yield* removePeer(id);
    registry.removeUser(alias);
    yield { type: "user-removed", alias };
  }

  function* losePeer(id: PeerId, since: number): Iterable<Change> {
    if (!isLinked(id)) yield* removePeer(id);
    else if (registry.byId(id) && pendingRemovals.get(id)?.why !== "lost")
      pendingRemovals.set(id, { why: "lost", until: since + lostTimeoutMs });
  }

  function* removeExpired(now: number): Iterable<Change> {
    for (const [id, { until }] of pendingRemovals) {
      if (until > now) continue;
      // A missing peer is lost from then on.
      yield* losePeer(id, until);
      const left = pendingRemovals.get(id);
      if (left && left.until <= now) yield* removePeer(id);
    }
  }

  function* endLinks(): Iterable<Change> {
    yield { type: "links-ended" };
    for (const [id, { why }] of pendingRemovals) {
      if (why === "lost") yield* removePeer(id);
      else pendingRemovals.delete(id);
    }
  }

  function earliestRemoval(): number {
    return [...pendingRemovals.values()].reduce((first, { until }) => Math.min(first, until), Number.POSITIVE_INFINITY);
  }

  function postponeRemovals(now: number) {
    const pause = now - (offlineSince ?? now);
    for (const [id, removal] of pendingRemovals) pendingRemovals.set(id, { ...removal, until: removal.until + pause });
    offlineSince = undefined;
  }

  function* replace({ users, peers }: PeerSnapshot, now: number): Iterable<Change> {
    const listedUsers = new Set(users);
    for (const alias of registry.users.peek()) if (!listedUsers.has(alias)) yield* removeUser(alias);
    for (const { id } of registry.all()) {
      if (pendingRemovals.get(id)?.why === "lost") continue;
      // `addPeer` undoes it for a peer that is listed.
      pendingRemovals.set(id, { why: "missing", until: now + missingTimeoutMs });
    }
    for (const alias of users) yield* addUser(alias);
    for (const peer of peers) yield* addPeer(peer);
  }

  return {
    snapshot(snapshot, now) {
      postponeRemovals(now);
      const hasNewId = self !== undefined && self.id !== snapshot.self.id;
      self = snapshot.self;
      const normalized = { ...snapshot, users: snapshot.users.map(toNfc), peers: snapshot.peers.map(withNfc) };
      return [...(hasNewId ? endLinks() : []), ...replace(normalized, now)];
    },
    offline(now) {
      offlineSince ??= now;
    },
    peerConnect: (peer) => [...addPeer(withNfc(peer))],
    peerDisconnect: (id, lost, now) => [...(lost ? losePeer(id, now) : leave(id, now))],
    peerUpdate(id, profile) {
      const peer = registry.byId(id);
      return peer ? [...updatePeer({ ...peer, profile })] : [];
    },
    profileValidated: (id, profile) => [...setProfile(id, profile)],
    userAdd: (alias) => [...addUser(toNfc(alias))],
    userRemove: (alias) => [...removeUser(toNfc(alias))],
    serves(peer, allow) {
      const { id } = peer;
      const left = pendingRemovals.get(id);
      const known = registry.byId(id) ?? left?.peer;
      if (!known || loginOf(known) !== loginOf(peer)) return false;
      return matches(allow, id, { ...registry, aliasOf: () => registry.aliasOf(id) ?? left?.alias });
    },
    onLinkClosed(id) {
      const why = pendingRemovals.get(id)?.why;
      if (why === "left") pendingRemovals.delete(id);
      return why === "lost" ? [...removePeer(id)] : [];
    },
    expire: (now) => (offlineSince === undefined ? [...removeExpired(now)] : []),
    nextExpiry: () => (offlineSince === undefined ? earliestRemoval() : Number.POSITIVE_INFINITY),
  };
}

function toNfc(alias: Alias): Alias {
  return alias.normalize();
}

function withNfc(peer: PeerInfo): PeerInfo {
  return { ...peer, name: toNfc(peer.name) };
}
