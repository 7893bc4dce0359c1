import type { Connection } from "../links/connection.ts";
import type { PeerId } from "../peer.ts";
import { Kind, PresenceStep } from "../wire/frames.ts";
import type { PresenceLink, PresenceOptions } from "./presence.ts";

/** The subscriptions of this page at other peers, and the links that they need. */
export interface Subscriptions {
  /** Whether this page subscribes on the link, or is about to. */
  isInUse(link: PresenceLink): boolean;
  /** Whether this page subscribes to the name on the link. */
  has(link: PresenceLink, name: string): boolean;
  /** Subscribes to these names at these peers, and to nothing else. Returns the wanted names of the peers that get a link. */
  want(wanted: ReadonlyMap<PeerId, ReadonlySet<string>>): ReadonlyMap<PeerId, ReadonlySet<string>>;
  onOpened(link: PresenceLink): void;
  /** Returns whether a subscription was lost. */
  onEnd(link: PresenceLink): boolean;
}

/** A peer with something that this page subscribes to. */
interface Remote {
  readonly id: PeerId;
  names: ReadonlySet<string>;
  /** Kept open by us. */
  link: PresenceLink | undefined;
  attachedAt: number;
  /** The links in a row that were not opened, or did not last. */
  failures: number;
  /** Withdraws the request for a link, or the wait for the next one. */
  undo: (() => void) | undefined;
}

const firstRedialMs = 1_000;
const maxRedialMs = 30_000;
// A link that lasted as long works.
const lastingMs = 10_000;
// The share of the links that subscriptions may take: calls to other peers need some.
const maxShare = 7 / 8;

/**
 * Keeps a link open to each peer that this page subscribes to, and redials it when it is lost: at once, and after 1, 2, 4…
 * at most 30 s when that fails. If more peers match than there are links, the nearest are chosen by the XOR of the ids: the
 * distance is the same from both sides, so that both choose alike.
 */
export function createSubscriptions(
  { clock, maxLinks, pool, self, keepOpenMs }: PresenceOptions,
  links: ReadonlyMap<Connection<any>, PresenceLink>,
): Subscriptions {
  const remotes = new Map<PeerId, Remote>();
  const subscribed = new WeakMap<PresenceLink, Set<string>>();

  function request(remote: Remote): void {
    if (remotes.get(remote.id) !== remote) return;
    let isSettled = false;
    const undo = pool.whenOpen(remote.id, {
      begin(connection) {
        isSettled = true;
        remote.undo = undefined;
        attach(remote, links.get(connection)!);
      },
      fail() {
        isSettled = true;
        redial(remote);
      },
    });
    if (!isSettled) remote.undo = undo;
  }

  function attach(remote: Remote, link: PresenceLink): void {
    remote.link = link;
    remote.attachedAt = clock.now();
    link.connection.keepOpen(keepOpenMs());
    subscribe(link, remote.names);
  }

  function redial(remote: Remote): void {
    const delay = remote.failures === 0 ? 0 : Math.min(maxRedialMs, firstRedialMs * 2 ** (remote.failures - 1));
    remote.failures++;
    remote.undo = clock.after(delay, () => {
      remote.undo = undefined;
      request(remote);
    });
  }

  /** Sends the changes to the peer. Before its hello was read, it is unknown whether the peer supports presence. */
  function subscribe(link: PresenceLink, names: ReadonlySet<string>): void {
    if (!understands(link)) return;
    const before = subscribed.get(link) ?? new Set();
    subscribed.set(link, before);
    const { scheduler } = link.connection;
    for (const name of before) {
      if (names.has(name)) continue;
      before.delete(name);
      scheduler.send("control", [Kind.presence, PresenceStep.stop, name]);
    }
    for (const name of names) {
      if (before.has(name)) continue;
      before.add(name);
      if (!link.versions.has(name)) link.versions.set(name, 0);
      scheduler.send("control", [Kind.presence, PresenceStep.subscribe, name]);
    }
  }

  function release({ id, link, undo }: Remote): void {
    remotes.delete(id);
    undo?.();
    if (!link) return;
    subscribe(link, new Set());
    link.connection.keepOpen(keepOpenMs());
  }

  function nearest(ids: readonly PeerId[]): readonly PeerId[] {
    const count = Math.ceil(maxLinks * maxShare);
    if (ids.length <= count) return ids;
    const distances = new Map(ids.map((id) => [id, distance(self(), id)]));
    return [...ids].sort((a, b) => compare(distances.get(a)!, distances.get(b)!)).slice(0, count);
  }

  return {
    isInUse({ connection }) {
      const link = remotes.get(connection.peer)?.link;
      return link?.connection === connection && (!connection.remote || understands(link));
    },
    has: (link, name) => subscribed.get(link)?.has(name) === true,
    want(wanted) {
      const chosen = new Map(nearest([...wanted.keys()]).map((id) => [id, wanted.get(id)!]));
      for (const remote of [...remotes.values()]) if (!chosen.has(remote.id)) release(remote);
      for (const [id, names] of chosen) {
        const remote = remotes.get(id);
        if (remote) {
          remote.names = names;
          if (remote.link) subscribe(remote.link, names);
        } else {
          const added: Remote = { id, names, link: undefined, attachedAt: 0, failures: 0, undo: undefined };
          remotes.set(id, added);
          request(added);
        }
      }
      return chosen;
    },
    onOpened(link) {
      const remote = remotes.get(link.connection.peer);
      if (!remote) return;
      if (remote.link) subscribe(link, remote.names);
      else {
        // The peer has dialed while we were waiting to redial it.
        remote.undo?.();
        request(remote);
      }
    },
    onEnd(link) {
      const remote = remotes.get(link.connection.peer);
      if (remote?.link !== link) return false;
      remote.link = undefined;
      if (clock.now() - remote.attachedAt >= lastingMs) remote.failures = 0;
      // A peer that does not understand may dial us again one day.
      if (!link.connection.remote || understands(link)) redial(remote);
      return true;
    },
  };
}

function understands({ connection }: PresenceLink): boolean {
  return connection.remote?.features?.includes("presence") === true;
}

/** The XOR of two ids, character by character. */
function distance(a: PeerId, b: PeerId): readonly number[] {
  return Array.from(b, (char, index) => char.charCodeAt(0) ^ a.charCodeAt(index));
}

function compare(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((step, at) => step !== b[at]);
  return index < 0 ? 0 : a[index]! - (b[index] ?? 0);
}
