import { type Alias, noProfile, type Peer, type PeerId, type Profile, withProfile } from "../peer.ts";
import { createLiveList, createTopic, invalidate, type Live } from "../reactive.ts";
import { createWeakCache } from "../weak-cache.ts";
import { keyOf, type Query, resolve, topicsOf } from "./query.ts";

/** The trusted users and their online peers, under the aliases of this account; or the peers of a room, which has no users. */
export interface Registry {
  all(): readonly Peer[];
  ofUser(alias: Alias): readonly Peer[];
  byId(id: PeerId): Peer | undefined;
  hasUser(alias: Alias): boolean;
  /** The alias of a peer's user; undefined in a room. */
  aliasOf(id: PeerId): Alias | undefined;

  /** Adds a peer of the user `alias`, or of a room. Returns the known peer if the id exists already. */
  addPeer(peer: NewPeer, alias: Alias | undefined): Peer;
  /** Puts a new object in the place of the peer, and returns it. */
  updatePeer(id: PeerId, profile: Profile): Peer | undefined;
  removePeer(id: PeerId): Peer | undefined;
  addUser(alias: Alias): void;
  removeUser(alias: Alias): void;
  clear(): void;

  readonly users: Live<readonly Alias[]>;
  /** Returns the live list of the peers that match `query`. Other peers cost it nothing when they come and go. */
  watch(query: Query): Live<readonly Peer[]>;
}

/** A peer, which has said nothing unless it has a profile. */
interface NewPeer extends Pick<Peer, "id" | "name"> {
  readonly profile?: Profile | undefined;
}

/** Creates an empty registry. It uses Maps, so no alias collides with a property such as `__proto__`. */
export function createRegistry(): Registry {
  const peers = new Map<PeerId, { readonly peer: Peer; readonly alias: Alias | undefined }>();
  const byUser = new Map<Alias, Map<PeerId, Peer>>();
  const aliases = new Set<Alias>();
  const usersChanged = createTopic();
  const users = createLiveList(() => [...aliases], [usersChanged]);
  const lists = createWeakCache<Live<readonly Peer[]>>();
  /** The topics that lists follow, by alias, peer id or `"*"`. */
  const topics = createWeakCache<Live<unknown>>();

  function invalidateTopics(names: Iterable<string>): void {
    for (const name of names) {
      const topic = topics.find(name);
      if (topic) invalidate(topic);
    }
  }

  function put(peer: Peer, alias: Alias | undefined): Peer {
    const { id } = peer;
    peers.set(id, { peer, alias });
    if (alias !== undefined) byUser.set(alias, (byUser.get(alias) ?? new Map<PeerId, Peer>()).set(id, peer));
    invalidateTopics(["*", alias ?? id, id]);
    return peer;
  }

  const registry: Registry = {
    all: () => [...peers.values()].map(({ peer }) => peer),
    ofUser: (alias) => [...(byUser.get(alias)?.values() ?? [])],
    byId: (id) => peers.get(id)?.peer,
    hasUser: (alias) => aliases.has(alias),
    aliasOf: (id) => peers.get(id)?.alias,

    addPeer: ({ id, name, profile = noProfile }, alias) =>
      registry.byId(id) ?? put(Object.freeze({ id, name, profile }), alias),
    updatePeer(id, profile) {
      const known = peers.get(id);
      return known && put(withProfile(known.peer, profile), known.alias);
    },
    removePeer(id) {
      const { peer, alias = "" } = peers.get(id) ?? {};
      peers.delete(id);
      const logins = byUser.get(alias);
      logins?.delete(id);
      if (logins?.size === 0) byUser.delete(alias);
      if (peer) invalidateTopics(["*", alias, id]);
      return peer;
    },
    addUser(alias) {
      aliases.add(alias);
      invalidate(usersChanged);
      invalidateTopics([alias]);
    },
    removeUser(alias) {
      aliases.delete(alias);
      invalidate(usersChanged);
      invalidateTopics([alias]);
    },
    clear() {
      const names = ["*", ...aliases, ...byUser.keys(), ...peers.keys()];
      for (const map of [peers, byUser, aliases]) map.clear();
      invalidate(usersChanged);
      invalidateTopics(names);
    },

    users,
    watch: (query) =>
      lists.get(keyOf(query), () =>
        createLiveList(
          () => resolve(query, registry),
          topicsOf(query).map((name) => topics.get(name, createTopic)),
        ),
      ),
  };
  return registry;
}
