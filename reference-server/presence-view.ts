import { us } from "../core/protocol/alias.ts";
import type { Login } from "./cluster/cluster.ts";

/** What every login of one user has been told. */
export interface PresenceView {
  /** The name of each trusted user, by username; the user's own is `"Us"`. */
  readonly names: ReadonlyMap<string, string>;
  /** Who of them is online, by peer id. */
  readonly peers: Map<string, Login>;
}

/** One frame about presence. The peer that it is about, if any, is not told. */
export type PresenceEvent =
  | { readonly type: "userAdd" | "userRemove"; readonly data: string }
  | { readonly type: "peerConnect"; readonly data: { readonly name: string; readonly id: string } }
  | { readonly type: "peerDisconnect"; readonly data: string; readonly lost?: true };

/** A view of nobody. */
export function emptyView(): PresenceView {
  return { names: new Map(), peers: new Map() };
}

/** Notes that a peer is online, or has moved; what is to be told of it. Older word than what is known changes nothing. */
export function join(view: PresenceView, login: Login): readonly PresenceEvent[] {
  const name = view.names.get(login.user);
  const known = view.peers.get(login.id);
  if (name === undefined || (known && known.epoch >= login.epoch)) return [];
  view.peers.set(login.id, login);
  return known ? [] : [{ type: "peerConnect", data: { name, id: login.id } }];
}

/** Notes that a peer has gone, unless it has come again since. */
export function leave(view: PresenceView, login: Login, lost: boolean): readonly PresenceEvent[] {
  const known = view.peers.get(login.id);
  if (known === undefined || known.epoch > login.epoch) return [];
  view.peers.delete(login.id);
  return [gone(login.id, lost)];
}

/**
 * What turns a client that knows `before` into one that knows `after`: who is no longer trusted goes peers first, who is
 * newly trusted comes user first, and peers that are simply missing count as lost.
 */
export function difference(before: PresenceView, after: PresenceView): readonly PresenceEvent[] {
  const ended = [...before.names].filter(([user, name]) => after.names.get(user) !== name);
  const begun = [...after.names].filter(([user, name]) => before.names.get(user) !== name && name !== us);
  const changed = new Set([...ended, ...begun].map(([user]) => user));

  const news: PresenceEvent[] = [];
  for (const [user, name] of ended) {
    for (const { id } of ofUser(before, user)) news.push(gone(id, false));
    if (name !== us) news.push({ type: "userRemove", data: name });
  }
  for (const { id, user } of before.peers.values())
    if (!changed.has(user) && !after.peers.has(id)) news.push(gone(id, true));
  for (const [, name] of begun) news.push({ type: "userAdd", data: name });
  for (const { id, user } of after.peers.values())
    if (changed.has(user) || !before.peers.has(id))
      news.push({ type: "peerConnect", data: { name: after.names.get(user) ?? us, id } });
  return news;
}

function gone(id: string, lost: boolean): PresenceEvent {
  return { type: "peerDisconnect", data: id, ...(lost && { lost }) };
}

function ofUser(view: PresenceView, user: string): Login[] {
  return [...view.peers.values()].filter((login) => login.user === user);
}
