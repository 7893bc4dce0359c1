import { us } from "../core/protocol/alias.ts";
import type { Login } from "./cluster/cluster.ts";

/** The presence that all sessions of one user have received. */
export interface PresenceView {
  /** The name of each trusted user, by username; the user's own is `"Us"`. */
  readonly names: ReadonlyMap<string, string>;
  /** Their online peers, by peer id. */
  readonly peers: Map<string, Login>;
}

/** One frame about presence. It is not sent to the peer that it is about. */
export type PresenceEvent =
  | { readonly type: "userAdd" | "userRemove"; readonly data: string }
  | { readonly type: "peerConnect"; readonly data: { readonly name: string; readonly id: string } }
  | { readonly type: "peerDisconnect"; readonly data: string; readonly lost?: true };

/** Creates an empty view. */
export function emptyView(): PresenceView {
  return { names: new Map(), peers: new Map() };
}

/** Adds a peer, or updates its owner; returns the events to send. A login with an older epoch changes nothing. */
export function join(view: PresenceView, login: Login): readonly PresenceEvent[] {
  const name = view.names.get(login.user);
  const known = view.peers.get(login.id);
  if (name === undefined || (known && known.epoch >= login.epoch)) return [];
  view.peers.set(login.id, login);
  return known ? [] : [{ type: "peerConnect", data: { name, id: login.id } }];
}

/** Removes a peer, unless it has joined again since; returns the events to send. */
export function leave(view: PresenceView, login: Login, lost: boolean): readonly PresenceEvent[] {
  const known = view.peers.get(login.id);
  if (known === undefined || known.epoch > login.epoch) return [];
  view.peers.delete(login.id);
  return [peerDisconnect(login.id, lost)];
}

/**
 * Returns the events that bring a client from view `before` to view `after`. For users no longer trusted, their peers are
 * removed before the user; for newly trusted users, the user is added before its peers. Peers that are missing count as lost.
 */
export function difference(before: PresenceView, after: PresenceView): readonly PresenceEvent[] {
  const removed = [...before.names].filter(([user, name]) => after.names.get(user) !== name);
  const added = [...after.names].filter(([user, name]) => before.names.get(user) !== name && name !== us);
  const changed = new Set([...removed, ...added].map(([user]) => user));

  const events: PresenceEvent[] = [];
  for (const [user, name] of removed) {
    for (const { id } of peersOf(before, user)) events.push(peerDisconnect(id, false));
    if (name !== us) events.push({ type: "userRemove", data: name });
  }
  for (const { id, user } of before.peers.values())
    if (!changed.has(user) && !after.peers.has(id)) events.push(peerDisconnect(id, true));
  for (const [, name] of added) events.push({ type: "userAdd", data: name });
  for (const { id, user } of after.peers.values())
    if (changed.has(user) || !before.peers.has(id))
      events.push({ type: "peerConnect", data: { name: after.names.get(user) ?? us, id } });
  return events;
}

function peerDisconnect(id: string, lost: boolean): PresenceEvent {
  return { type: "peerDisconnect", data: id, ...(lost && { lost }) };
}

function peersOf(view: PresenceView, user: string): Login[] {
  return [...view.peers.values()].filter((login) => login.user === user);
}
