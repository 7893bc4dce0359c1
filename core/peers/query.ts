import { BonevalueError } from "../errors.ts";
import type { Alias, Peer, PeerId } from "../peer.ts";
import type { Registry } from "./registry.ts";

/**
 * `"*"` every peer we may talk to · `"Us"` this account's other logins · an alias: that user's peers ·
 * a peer id: that peer. A string is read in that order. The object forms say which is meant.
 * Our own peer is never in a result.
 */
export type Query =
  | "*"
  | "Us"
  | (string & {})
  | { readonly user: Alias }
  | { readonly peer: PeerId }
  | { readonly peers: readonly PeerId[] };

/** What a query needs of a {@link Registry}. */
export type KnownPeers = Pick<Registry, "all" | "ofUser" | "byId" | "hasUser">;

/** The peers that `query` names at this moment. */
export function resolve(query: Query, known: KnownPeers): readonly Peer[] {
  const ids = idsIn(query, known);
  if (ids) return ids.flatMap((id) => known.byId(id) ?? []);
  return query === "*" ? known.all() : known.ofUser(aliasOf(query));
}

/**
 * The peers that a call to `query` is for: as {@link resolve}, but who is named by id is always there, with the name
 * `""` when nobody of that id is known.
 */
export function resolveTargets(query: Query, known: KnownPeers): readonly Peer[] {
  const ids = idsIn(query, known);
  if (ids) return ids.map((id) => known.byId(id) ?? Object.freeze({ id, name: "" }));
  return resolve(query, known);
}

/** Whether `query` names `peer` at this moment. */
export function matches(query: Query, peer: Peer, known: KnownPeers): boolean {
  if (known.byId(peer.id) !== peer) return false;
  const ids = idsIn(query, known);
  return ids ? ids.includes(peer.id) : query === "*" || aliasOf(query) === peer.name;
}

/**
 * The query as it is now, whatever the app does with its object or its list. Throws `invalid-request` for what is no
 * query.
 */
export function freezeQuery(query: Query): Query {
  if (typeof query === "string") return query;
  const { user, peer, peers } = Object(query);
  if (typeof user === "string") return Object.freeze({ user });
  if (typeof peer === "string") return Object.freeze({ peer });
  if (Array.isArray(peers)) return Object.freeze({ peers: Object.freeze([...peers]) });
  throw new BonevalueError("invalid-request", "A query is a text, { user }, { peer } or { peers }.");
}

/** One string for all queries that mean the same. */
export function keyOf(query: Query): string {
  if (typeof query === "string") return `any ${query}`;
  if ("user" in query) return `user ${query.user}`;
  return `peers ${JSON.stringify(idsOf(query))}`;
}

/** The words whose arrivals and departures can change what `query` names: aliases, peer ids, `"*"`. */
export function topicsOf(query: Query): readonly string[] {
  if (typeof query === "string") return [query];
  return "user" in query ? [query.user] : idsOf(query);
}

function idsIn(query: Query, known: KnownPeers): readonly PeerId[] | undefined {
  if (typeof query === "object") return "user" in query ? undefined : idsOf(query);
  return query === "*" || query === "Us" || known.hasUser(query) ? undefined : [query];
}

function aliasOf(query: Query): Alias {
  return typeof query === "object" && "user" in query ? query.user : (query as Alias);
}

function idsOf(query: { readonly peer: PeerId } | { readonly peers: readonly PeerId[] }): readonly PeerId[] {
  return "peer" in query ? [query.peer] : [...new Set(query.peers)];
}
