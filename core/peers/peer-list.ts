import type { Alias, Peer, PeerId } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import type { Registry } from "./registry.ts";

/** One difference that was made in the registry. A peer that is removed loses its link; `links-ended` ends all. */
export type Change =
  | { readonly type: "peer-added"; readonly peer: Peer }
  | { readonly type: "peer-removed"; readonly peer: Peer }
  | { readonly type: "user-added"; readonly alias: Alias }
  | { readonly type: "user-removed"; readonly alias: Alias }
  | { readonly type: "links-ended" };

/** What a server says at a sign-in or a return. */
export interface PeerSnapshot {
  readonly self: { readonly id: PeerId };
  readonly users: readonly Alias[];
  readonly peers: readonly Peer[];
}

/**
 * Keeps a registry as a server tells it. Every method returns what it has changed, in the order in which that is to be
 * told: a user comes before its peers and goes after them. `now` is in ms and never runs backwards.
 */
export interface PeerList {
  /** We are online. A peer that the lists lack, though its user is there, may be coming back too and is given time. */
  snapshot(lists: PeerSnapshot, now: number): readonly Change[];
  /** We are not. Until the next snapshot nobody's time runs out. */
  offline(now: number): void;
  peerConnect(peer: Peer): readonly Change[];
  /** A `lost` peer stays while its link is open, for at most 60 s of our being online. */
  peerDisconnect(id: PeerId, lost: boolean, now: number): readonly Change[];
  userAdd(alias: Alias): readonly Change[];
  userRemove(alias: Alias): readonly Change[];
  /** The link to `id` has closed, so that `isLinked` says no. */
  onLinkClosed(id: PeerId): readonly Change[];
  /** Ends what is over at `now`. */
  expire(now: number): readonly Change[];
  /** When to call `expire`; `Infinity` while nobody's time runs. */
  nextExpiry(): number;
}

// Why a peer that the server no longer names is still here, and until when.
interface PendingRemoval {
  readonly why: "missing" | "lost";
  readonly until: number;
}

const missingTimeoutMs = 20_000;
const lostTimeoutMs = 60_000;

/** Begins with an empty `registry`. `isLinked` says whether messages still reach a peer. */
export function createPeerList(registry: Registry, isLinked: (id: PeerId) => boolean): PeerList {
  const pendingRemovals = new Map<PeerId, PendingRemoval>();
  let self: PeerId | undefined;
  let offlineSince: number | undefined;

  function* remove(id: PeerId): Iterable<Change> {
    const peer = registry.removePeer(id);
    pendingRemovals.delete(id);
    if (peer) yield { type: "peer-removed", peer };
  }

  function* add(peer: Peer): Iterable<Change> {
    if (peer.id === self) return;
    pendingRemovals.delete(peer.id);
    if (registry.byId(peer.id)?.name === peer.name) return;
    yield* remove(peer.id);
    yield* addUser(peer.name);
    yield { type: "peer-added", peer: registry.addPeer(peer) };
  }

  function* addUser(alias: Alias): Iterable<Change> {
    if (alias === us || registry.hasUser(alias)) return;
    registry.addUser(alias);
    yield { type: "user-added", alias };
  }

  function* removeUser(alias: Alias): Iterable<Change> {
    if (!registry.hasUser(alias)) return;
    for (const { id } of registry.ofUser(alias)) yield* remove(id);
    registry.removeUser(alias);
    yield { type: "user-removed", alias };
  }

  function* lose(id: PeerId, at: number): Iterable<Change> {
    if (!isLinked(id)) yield* remove(id);
    else if (registry.byId(id) && pendingRemovals.get(id)?.why !== "lost")
      pendingRemovals.set(id, { why: "lost", until: at + lostTimeoutMs });
  }

  function* expired(now: number): Iterable<Change> {
    for (const [id, { why, until }] of [...pendingRemovals]) {
      if (until > now) continue;
      if (why === "missing") yield* lose(id, until);
      const left = pendingRemovals.get(id);
      if (left && left.until <= now) yield* remove(id);
    }
  }

  function* endLinks(): Iterable<Change> {
    yield { type: "links-ended" };
    for (const [id, { why }] of [...pendingRemovals]) if (why === "lost") yield* remove(id);
  }

  function earliest(): number {
    return [...pendingRemovals.values()].reduce((first, { until }) => Math.min(first, until), Number.POSITIVE_INFINITY);
  }

  function resume(now: number) {
    const pause = now - (offlineSince ?? now);
    for (const [id, { why, until }] of pendingRemovals) pendingRemovals.set(id, { why, until: until + pause });
    offlineSince = undefined;
  }

  function* replace({ users: aliases, peers: listed }: PeerSnapshot, now: number): Iterable<Change> {
    const named = new Set(aliases);
    for (const alias of registry.users.peek()) if (!named.has(alias)) yield* removeUser(alias);
    const present = new Set(listed.map(({ id }) => id));
    for (const { id } of registry.all()) {
      if (present.has(id)) continue;
      if (pendingRemovals.get(id)?.why === "lost") yield* lose(id, now);
      else pendingRemovals.set(id, { why: "missing", until: now + missingTimeoutMs });
    }
    for (const alias of aliases) yield* addUser(alias);
    for (const peer of listed) yield* add(peer);
  }

  return {
    snapshot(lists, now) {
      resume(now);
      const renamed = self !== undefined && self !== lists.self.id;
      self = lists.self.id;
      return [...(renamed ? endLinks() : []), ...replace(lists, now)];
    },
    offline(now) {
      offlineSince ??= now;
    },
    peerConnect: (peer) => [...add(peer)],
    peerDisconnect: (id, lost, now) => [...(lost ? lose(id, now) : remove(id))],
    userAdd: (alias) => [...addUser(alias)],
    userRemove: (alias) => [...removeUser(alias)],
    onLinkClosed: (id) => (pendingRemovals.get(id)?.why === "lost" ? [...remove(id)] : []),
    expire: (now) => (offlineSince === undefined ? [...expired(now)] : []),
    nextExpiry: () => (offlineSince === undefined ? earliest() : Number.POSITIVE_INFINITY),
  };
}
