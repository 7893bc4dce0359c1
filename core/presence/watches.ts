import { microtask } from "../clock.ts";
import { BonevalueError } from "../errors.ts";
import type { Peer, PeerId } from "../peer.ts";
import { keyOf, type Query } from "../peers/query.ts";
import { batch, createLive, type Live, sameItems, set } from "../reactive.ts";
import { createThrottle } from "../rpc/throttle.ts";
import { validateThen } from "../rpc/validate.ts";
import { createWeakCache } from "../weak-cache.ts";
import type { Received } from "../wire/codec.ts";
import { Kind, PresenceStep } from "../wire/frames.ts";
import { protocolError } from "../wire/protocol-error.ts";
import type { PeerPresence, PresenceDefinition } from "./definition.ts";
import { maxNames, type PresenceLink, type PresenceOptions } from "./presence.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** The values of other peers that this page watches. */
export interface Watches {
  /** Returns the live list of the values of the peers that match `query`: the same one for equal arguments. */
  of(definition: PresenceDefinition, query: Query, peers: Live<readonly Peer[]>): Live<readonly PeerPresence<any>[]>;
  /** A value has arrived, or the peer has withdrawn it. Throws `protocol` if nothing has asked for it. */
  onValue(link: PresenceLink, name: string, version: number, value: Received | undefined, isLossy: boolean): void;
  /** The link with our subscriptions at the peer is lost. */
  onLost(peer: PeerId): void;
}

interface Watch {
  readonly name: string;
  readonly peers: Live<readonly Peer[]>;
  readonly list: Live<readonly PeerPresence<any>[]>;
}

/** One name of one peer. */
interface Slot {
  readonly peer: PeerId;
  readonly name: string;
  /** The newest value, until it is validated. */
  arrived: { readonly link: PresenceLink; readonly value: Received } | undefined;
  isChecking: boolean;
  /** The last valid value. */
  value: unknown;
  hasValue: boolean;
  /** Since when its link is lost. */
  lostAt: number | undefined;
  /** Its entry in the lists. */
  shown: PeerPresence<any> | undefined;
}

const staleMs = 10_000;
// Values of many peers that arrive at about the same time are validated and shown together.
const showIntervalMs = 8;

const nothing: readonly never[] = Object.freeze([]);

/**
 * Reads the values of other peers. An arriving value is only stored, the newest of each peer and name; at most every 8 ms the
 * newest values are validated, and the lists that contain them change. Watches subscribe while they have a subscriber.
 */
export function createWatches({ clock, deadlines, failed }: PresenceOptions, subscriptions: Subscriptions): Watches {
  const cached = createWeakCache<Live<readonly PeerPresence<any>[]>>();
  const definitions = new Map<string, PresenceDefinition>();
  const watches = new Map<Watch, () => void>();
  const slots = new Map<PeerId, Map<string, Slot>>();
  const arrivals = new Set<Slot>();
  const changedNames = new Set<string>();
  const expiries = new Map<PeerId, () => void>();
  const refusals = createThrottle<unknown>(deadlines, (what, error, count) => failed(refusedError(what, error, count)));
  let mustReconcile = false;
  let isScheduled = false;
  let shownAt = Number.NEGATIVE_INFINITY;

  function slotOf(peer: PeerId, name: string): Slot {
    const ofPeer = slots.get(peer) ?? new Map<string, Slot>();
    slots.set(peer, ofPeer);
    const slot = ofPeer.get(name) ?? {
      peer,
      name,
      arrived: undefined,
      isChecking: false,
      value: undefined,
      hasValue: false,
      lostAt: undefined,
      shown: undefined,
    };
    ofPeer.set(name, slot);
    return slot;
  }

  function remove(slot: Slot): void {
    slots.get(slot.peer)?.delete(slot.name);
    slot.arrived = undefined;
    changedNames.add(slot.name);
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    const wait = shownAt + showIntervalMs - clock.now();
    if (wait > 0) clock.after(wait, show);
    else microtask(show);
  }

  function show(): void {
    isScheduled = false;
    shownAt = clock.now();
    if (mustReconcile) reconcile();
    for (const slot of arrivals) {
      arrivals.delete(slot);
      if (!slot.isChecking) checkArrived(slot);
    }
    batch(() => {
      for (const watch of watches.keys()) if (changedNames.has(watch.name)) update(watch);
      changedNames.clear();
    });
  }

  function update({ name, peers, list }: Watch): void {
    const next = peers.peek().flatMap((peer) => {
      const slot = slots.get(peer.id)?.get(name);
      return slot?.hasValue ? shownOf(slot, peer) : [];
    });
    if (!sameItems(list.peek(), next)) set(list, Object.freeze(next));
  }

  function shownOf(slot: Slot, peer: Peer): PeerPresence<any> {
    const { value, shown } = slot;
    const stale = slot.lostAt !== undefined;
    // A peer whose profile has changed is another snapshot.
    if (shown?.peer === peer && shown.value === value && shown.stale === stale) return shown;
    slot.shown = Object.freeze({ peer, value, stale });
    return slot.shown;
  }

  function checkArrived(slot: Slot): void {
    const { arrived } = slot;
    slot.arrived = undefined;
    if (!arrived) return;
    try {
      slot.isChecking = true;
      const value = arrived.link.unpack(arrived.value);
      const { schema } = definitions.get(slot.name)!;
      const checking = validateThen(
        schema,
        value,
        "invalid-request",
        (valid) => accept(slot, valid, arrived.link),
        (error) => refuse(slot, error),
      );
      if (checking) checking.then(() => onChecked(slot));
      else slot.isChecking = false;
    } catch (error) {
      slot.isChecking = false;
      // As with any malformed value, the link ends.
      if (error instanceof BonevalueError && error.code === "protocol") arrived.link.connection.close(error);
      else refuse(slot, error);
    }
  }

  function onChecked(slot: Slot): void {
    slot.isChecking = false;
    if (slot.arrived) arrivals.add(slot);
    schedule();
  }

  function accept(slot: Slot, value: unknown, link: PresenceLink): void {
    slot.value = value;
    slot.hasValue = true;
    // It may be lost again since the value arrived.
    if (subscriptions.isInUse(link)) slot.lostAt = undefined;
    changedNames.add(slot.name);
  }

  function refuse({ peer, name }: Slot, error: unknown): void {
    refusals.add(`"${name}" from the peer ${peer}`, error);
  }

  /** At most one acknowledgement of each name waits: a peer may send in a loop, and not read. */
  function acknowledge({ connection, acks }: PresenceLink, name: string, version: number): void {
    const isWaiting = acks.has(name);
    acks.set(name, version);
    if (isWaiting) return;
    connection.scheduler.send("control", () => {
      const newest = acks.get(name)!;
      acks.delete(name);
      return [Kind.presence, PresenceStep.ack, name, newest];
    });
  }

  /** Subscribes to what the watches show, and forgets the rest. */
  function reconcile(): void {
    mustReconcile = false;
    const wanted = new Map<PeerId, Set<string>>();
    for (const { name, peers } of watches.keys()) {
      changedNames.add(name);
      for (const { id } of peers.peek()) wanted.set(id, (wanted.get(id) ?? new Set()).add(name));
    }
    const chosen = subscriptions.want(wanted);
    for (const [peer, ofPeer] of slots) {
      for (const slot of ofPeer.values()) if (!chosen.get(peer)?.has(slot.name)) remove(slot);
      if (ofPeer.size === 0) forget(peer);
    }
  }

  function forget(peer: PeerId): void {
    slots.delete(peer);
    expiries.get(peer)?.();
    expiries.delete(peer);
  }

  function expireAfter(peer: PeerId, ms: number): void {
    expiries.set(
      peer,
      clock.after(ms, () => expire(peer)),
    );
  }

  function expire(peer: PeerId): void {
    expiries.delete(peer);
    let next = Number.POSITIVE_INFINITY;
    for (const slot of slots.get(peer)?.values() ?? []) {
      const left = (slot.lostAt ?? Number.POSITIVE_INFINITY) + staleMs - clock.now();
      if (left > 0) next = Math.min(next, left);
      else remove(slot);
    }
    if (next < Number.POSITIVE_INFINITY) expireAfter(peer, next);
    schedule();
  }

  function reconcileSoon(): void {
    mustReconcile = true;
    schedule();
  }

  function start(watch: Watch): void {
    const names = new Set([...watches.keys()].map(({ name }) => name));
    if (names.size >= maxNames && !names.has(watch.name)) failed(tooManyNamesError(watch.name));
    else {
      watches.set(watch, watch.peers.subscribe(reconcileSoon));
      update(watch);
    }
  }

  function stop(watch: Watch): void {
    watches.get(watch)?.();
    if (!watches.delete(watch)) return;
    set(watch.list, nothing);
    reconcileSoon();
  }

  return {
    of(definition, query, peers) {
      const { name } = definition;
      definitions.set(name, definition);
      return cached.get(`${name} ${keyOf(query)}`, (hold) => {
        let undoStop: (() => void) | undefined;
        const list = createLive<readonly PeerPresence<any>[]>(nothing, (isWatched) => {
          hold(isWatched);
          undoStop?.();
          undoStop = undefined;
          if (!isWatched) {
            // Views that are replaced subscribe again at once.
            undoStop = clock.after(0, () => stop(watch));
          } else if (!watches.has(watch)) start(watch);
        });
        const watch: Watch = { name, peers, list };
        return list;
      });
    },
    onValue(link, name, version, value, isLossy) {
      const last = link.versions.get(name);
      if (last === undefined || version === 0) throw protocolError("an unexpected frame");
      if (value && !isLossy) acknowledge(link, name, version);
      // A value that crosses the end of the subscription is dropped, so it must not count when it is sent once more.
      if (version <= last || !subscriptions.has(link, name)) return;
      link.versions.set(name, version);
      const slot = slotOf(link.connection.peer, name);
      if (value) {
        slot.arrived = { link, value };
        if (slot.isChecking) return;
        arrivals.add(slot);
      } else remove(slot);
      schedule();
    },
    onLost(peer) {
      const ofPeer = slots.get(peer);
      if (!ofPeer) return;
      const now = clock.now();
      for (const slot of ofPeer.values()) {
        slot.lostAt ??= now;
        changedNames.add(slot.name);
      }
      schedule();
      if (!expiries.has(peer)) expireAfter(peer, staleMs);
    },
  };
}

function refusedError(what: string, cause: unknown, count: number): BonevalueError {
  const { message, data } = Object(cause);
  const values = count === 1 ? "a value" : `${count} values`;
  return new BonevalueError("invalid-request", `Skipped ${values} of ${what}: ${message}`, { cause, data });
}

function tooManyNamesError(name: string): BonevalueError {
  const message = `More than ${maxNames} names of presence are watched, so "${name}" is not: put several values into one.`;
  return new BonevalueError("busy", message);
}
