import type { Alias, Peer, PeerId } from "../peer.ts";
import { createLiveList, createTopic, invalidate, type Live } from "../reactive.ts";
import { createWeakCache } from "../weak-cache.ts";
import { keyOf, type Query, resolve, topicsOf } from "./query.ts";

/** Who is out there: the users we trust and their online peers, as our own account names them. */
export interface Registry {
  all(): readonly Peer[];
  ofUser(alias: Alias): readonly Peer[];
  byId(id: PeerId): Peer | undefined;
  hasUser(alias: Alias): boolean;

  /** A known id is left alone. */
  addPeer(peer: Peer): Peer;
  removePeer(id: PeerId): Peer | undefined;
  addUser(alias: Alias): void;
  removeUser(alias: Alias): void;
  clear(): void;

  readonly users: Live<readonly Alias[]>;
  /** The peers that `query` names, live. Costs nothing for arrivals and departures that the query does not name. */
  watch(query: Query): Live<readonly Peer[]>;
}

/** An empty registry. Names are data: none of them can be mistaken for a property. */
export function createRegistry(): Registry {
  const peers = new Map<PeerId, Peer>();
  const byUser = new Map<Alias, Map<PeerId, Peer>>();
  const aliases = new Set<Alias>();
  const usersChanged = createTopic();
  const users = createLiveList(() => [...aliases], [usersChanged]);
  const lists = createWeakCache<Live<readonly Peer[]>>();
  /** What lists follow: the aliases, peer ids and `"*"` that can change them. */
  const topics = createWeakCache<Live<unknown>>();

  function invalidateTopics(words: Iterable<string>): void {
    for (const word of words) {
      const topic = topics.find(word);
      if (topic) invalidate(topic);
    }
  }

  const registry: Registry = {
    all: () => [...peers.values()],
    ofUser: (alias) => [...(byUser.get(alias)?.values() ?? [])],
    byId: (id) => peers.get(id),
    hasUser: (alias) => aliases.has(alias),

    addPeer({ id, name }) {
      const known = peers.get(id);
      if (known) return known;
      const peer = Object.freeze({ id, name });
      peers.set(id, peer);
      const logins = byUser.get(name) ?? new Map<PeerId, Peer>();
      byUser.set(name, logins.set(id, peer));
      invalidateTopics(["*", peer.name, peer.id]);
      return peer;
    },
    removePeer(id) {
      const peer = peers.get(id);
      if (!peer) return undefined;
      peers.delete(id);
      const logins = byUser.get(peer.name);
      logins?.delete(id);
      if (logins?.size === 0) byUser.delete(peer.name);
      invalidateTopics(["*", peer.name, peer.id]);
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
      const words = ["*", ...aliases, ...byUser.keys(), ...peers.keys()];
      for (const held of [peers, byUser, aliases]) held.clear();
      invalidate(usersChanged);
      invalidateTopics(words);
    },

    users,
    watch: (query) =>
      lists.get(keyOf(query), () =>
        createLiveList(
          () => resolve(query, registry),
          topicsOf(query).map((word) => topics.get(word, createTopic)),
        ),
      ),
  };
  return registry;
}
