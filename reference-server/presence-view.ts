import { us } from "../core/protocol/alias.ts";
import type { ToClient } from "../core/protocol/messages.ts";
import type { Login } from "./cluster/cluster.ts";

/** The presence that all sessions of one group have received. */
export interface PresenceView {
  /** The alias of each visible group; that of its own group is `"Us"`. */
  readonly names: ReadonlyMap<string, string>;
  /** Their online peers, by peer id. */
  readonly peers: Map<string, Login>;
}

type WirePeer = ToClient["peerConnect"];

/** One frame about presence. It is not sent to the peer that it is about. */
export type PresenceEvent =
  | { readonly type: "userAdd" | "userRemove"; readonly data: string }
  | { readonly type: "peerConnect"; readonly data: WirePeer }
  /** Not a frame: updates are sent in batches. `profile` is JSON. */
  | { readonly type: "peerUpdate"; readonly id: string; readonly profile: string }
  | { readonly type: "peerDisconnect"; readonly data: string; readonly lost?: true };

/** Creates an empty view. */
export function emptyView(): PresenceView {
  return { names: new Map(), peers: new Map() };
}

/** Adds a peer, or updates its owner and profile; returns the events to send. An older login changes nothing. */
export function join(view: PresenceView, login: Login): readonly PresenceEvent[] {
  const known = view.peers.get(login.id);
  if (!view.names.has(login.group) || (known && !isNewer(login, known))) return [];
  view.peers.set(login.id, login);
  return known ? peerUpdate(known, login) : [peerConnect(view, login)];
}

function isNewer({ epoch, revision = 0 }: Login, known: Login): boolean {
  return epoch > known.epoch || (epoch === known.epoch && revision > (known.revision ?? 0));
}

/** Returns a peer with the name that it has in this view: its own, or the alias of its group. */
export function peerIn(view: PresenceView, { id, group, name, profile }: Login): WirePeer {
  return {
    name: name ?? view.names.get(group) ?? us,
    id,
    ...(profile !== undefined && { profile: JSON.parse(profile) }),
  };
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
  for (const login of after.peers.values()) {
    const known = changed.has(login.group) ? undefined : before.peers.get(login.id);
    events.push(...(known ? peerUpdate(known, login) : [peerConnect(after, login)]));
  }
  return events;
}

function peerConnect(view: PresenceView, login: Login): PresenceEvent {
  return { type: "peerConnect", data: peerIn(view, login) };
}

function peerUpdate(before: Login, { id, profile }: Login): readonly PresenceEvent[] {
  return before.profile === profile ? [] : [{ type: "peerUpdate", id, profile: profile ?? "{}" }];
}

function peerDisconnect(id: string, lost: boolean): PresenceEvent {
  return { type: "peerDisconnect", data: id, ...(lost && { lost }) };
}

function peersOf(view: PresenceView, group: string): Login[] {
  return [...view.peers.values()].filter((login) => login.group === group);
}
