import { BonevalueError } from "../errors.ts";
import { type Alias, noProfile, type Peer, type PeerId } from "../peer.ts";
import type { Registry } from "./registry.ts";

/**
 * Which peers a call is for: `"*"` matches every trusted peer, `"Us"` this account's other logins, an alias the peers of
 * that user, and a peer id that peer. A string is interpreted in that order; the object forms are explicit. This client
 * never matches. In a room only `"*"` and peer ids match, because anybody can choose any name there.
 */
export type Query =
  | "*"
  | "Us"
  | (string & {})
  | {
      /** Every peer of the user with this alias. */
      readonly user: Alias;
    }
  | {
      /** The peer with this id. */
      readonly peer: PeerId;
    }
  | {
      /** The peers with these ids. */
      readonly peers: readonly PeerId[];
    };

/** The part of the registry that answers queries. */
export type KnownPeers = Pick<Registry, "all" | "ofUser" | "byId" | "hasUser" | "aliasOf">;

/** Returns the peers that match `query` now. */
export function resolve(query: Query, known: KnownPeers): readonly Peer[] {
  const ids = idsIn(query, known);
  if (ids) return ids.flatMap((id) => known.byId(id) ?? []);
  return query === "*" ? known.all() : known.ofUser(aliasOf(query));
}

/**
 * Returns the peers that a call to `query` goes to. Unlike {@link resolve}, it always returns a peer for an id: an unknown
 * one has the name `""`.
 */
export function resolveTargets(query: Query, known: KnownPeers): readonly Peer[] {
  const ids = idsIn(query, known);
  if (ids) return ids.map((id) => known.byId(id) ?? Object.freeze({ id, name: "", profile: noProfile }));
  return resolve(query, known);
}

/** Whether the known peer with this id matches `query` now. */
export function matches(query: Query, id: PeerId, known: KnownPeers): boolean {
  const ids = idsIn(query, known);
  return ids ? ids.includes(id) : query === "*" || aliasOf(query) === known.aliasOf(id);
}

/**
 * Returns a frozen copy, because the app may change its object later. Aliases are normalized to NFC, as the server's are.
 * Throws `invalid-request` for an invalid query.
 */
export function freezeQuery(query: Query): Query {
  if (typeof query === "string") return query.normalize();
  const { user, peer, peers } = Object(query);
  if (typeof user === "string") return Object.freeze({ user: user.normalize() });
  if (typeof peer === "string") return Object.freeze({ peer });
  if (Array.isArray(peers)) return Object.freeze({ peers: Object.freeze([...peers]) });
  throw new BonevalueError("invalid-request", "A query is a string, { user }, { peer } or { peers }.");
}

/** Returns the same string for queries with the same meaning. */
export function keyOf(query: Query): string {
  if (typeof query === "string") return `any ${query}`;
  if ("user" in query) return `user ${query.user}`;
  return `peers ${JSON.stringify(idsOf(query))}`;
}

/** Returns the topics of the registry that `query` depends on: aliases, peer ids or `"*"`. */
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
