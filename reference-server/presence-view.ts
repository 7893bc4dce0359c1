import { us } from "../core/protocol/alias.ts";
import type { Login } from "./cluster/cluster.ts";

/** The presence that all sessions of one group have received. */
export interface PresenceView {
  /** The alias of each visible group; that of the own group is `"Us"`. */
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
  const known = view.peers.get(login.id);
  if (!view.names.has(login.group) || (known && known.epoch >= login.epoch)) return [];
  view.peers.set(login.id, login);
  return known ? [] : [peerConnect(view, login)];
}

/** Returns a peer with the name that it has in this view: its own, or the alias of its group. */
export function peerIn(view: PresenceView, { id, group, name }: Login): { readonly name: string; readonly id: string } {
  return { name: name ?? view.names.get(group) ?? us, id };
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
  const removed = [...before.names].filter(([group, name]) => after.names.get(group) !== name);
  const added = [...after.names].filter(([group, name]) => before.names.get(group) !== name && name !== us);
  const changed = new Set([...removed, ...added].map(([group]) => group));

  const events: PresenceEvent[] = [];
  for (const [group, name] of removed) {
    for (const { id } of peersOf(before, group)) events.push(peerDisconnect(id, false));
    if (name !== us) events.push({ type: "userRemove", data: name });
  }
  for (const { id, group } of before.peers.values())
    if (!changed.has(group) && !after.peers.has(id)) events.push(peerDisconnect(id, true));
  for (const [, name] of added) events.push({ type: "userAdd", data: name });
  for (const login of after.peers.values())
    if (changed.has(login.group) || !before.peers.has(login.id)) events.push(peerConnect(after, login));
  return events;
}

function peerConnect(view: PresenceView, login: Login): PresenceEvent {
  return { type: "peerConnect", data: peerIn(view, login) };
}

function peerDisconnect(id: string, lost: boolean): PresenceEvent {
  return { type: "peerDisconnect", data: id, ...(lost && { lost }) };
}

function peersOf(view: PresenceView, group: string): Login[] {
  return [...view.peers.values()].filter((login) => login.group === group);
}
