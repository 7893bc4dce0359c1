import type { Connection } from "./connection.ts";

// One owner for the number of links, modeled on DialQueue and ConnectionPruner of js-libp2p.
//
// There are `maxLinks` slots, for the links that we dial and the links that peers dial. A peer takes one slot when it is
// admitted and gives it back when no attempt, no dial and no link of it is left. If our dial and the peer's cross, one
// slot serves both.
//
// A peer that finds no free slot joins one of two queues: peers that dial us are served first, then the peers that we dial.
// For each queued peer one connection is asked to close: the least recently used that is idle. A queued peer is starved if
// fewer slots are free, or about to be, than peers are queued. A starved peer that dials us is refused with `busy`.
//
// Dials that are not open yet take at most seven eighths of the slots. Otherwise peers that all dial at once, each with
// more peers than slots, would fill all slots with dials that the others have no slot to accept.

/** Something that can hold a slot: a peer, and the connection to it if one is open. */
export interface LinkHolder {
  readonly connection?: Pick<Connection, "accepting" | "lastUse" | "offerClose"> | undefined;
}

/** Callbacks run at once, or later when a slot becomes free. */
export interface LinkLimiterOptions<P extends LinkHolder> {
  readonly maxLinks: number;
  /** Nothing is admitted while this is false. */
  isOnline(): boolean;
  /** The peer holds a slot: dial it. */
  dial(peer: P): void;
  /** The peer holds a slot: answer its attempt. */
  accept(peer: P): void;
  /** All slots are in use: refuse the peer's attempt. */
  refuse(peer: P): void;
}

/** Admits links within `maxLinks`, queues the others and closes idle links to make room. */
export interface LinkLimiter<P extends LinkHolder> {
  /** Whether the peer holds a slot. */
  holds(peer: P): boolean;
  /** Whether the peer is queued to be dialed, and fewer slots are free, or about to be, than peers are queued. */
  isStarved(peer: P): boolean;
  /** Queues the peer to be dialed, unless it is queued already. `drain` admits it. */
  enqueue(peer: P): void;
  /** The peer dials us: `accept` or `refuse` follows, unless the peer is released first. */
  admit(peer: P): void;
  /** Gives back the peer's slot and removes it from both queues. */
  release(peer: P): void;
  /** Admits queued peers while slots are free, and asks one idle connection to close for each peer that stays queued. */
  drain(): void;
}

const maxDialingShare = 7 / 8;

/** Creates a limiter whose slots are all free. */
export function createLinkLimiter<P extends LinkHolder>(options: LinkLimiterOptions<P>): LinkLimiter<P> {
  const { maxLinks, isOnline, dial, accept, refuse } = options;
  const held = new Set<P>();
  /** The held peers that we dial. */
  const dialed = new Set<P>();
  const toDial = new Set<P>();
  const toAccept = new Set<P>();

  const connections = () => [...held].flatMap(({ connection }) => connection ?? []);
  const closing = () => connections().filter(({ accepting }) => !accepting).length;
  // A peer that waits for both needs one slot.
  const queued = () => toDial.size + [...toAccept].filter((peer) => !toDial.has(peer)).length;
  /** How many queued peers have no slot to wait for. */
  const missing = () => queued() - (maxLinks - held.size) - closing();

  function mayDial(): boolean {
    const dialing = [...dialed].filter(({ connection }) => !connection).length;
    return dialing < Math.ceil(maxLinks * maxDialingShare);
  }

  function take(peer: P): void {
    const accepts = toAccept.delete(peer);
    const dials = toDial.delete(peer);
    held.add(peer);
    if (dials) dialed.add(peer);
    if (dials) dial(peer);
    if (accepts) accept(peer);
  }

  function drain(): void {
    // The usual case: each message calls this.
    if (toAccept.size + toDial.size === 0) return;
    for (const peer of toAccept) if (isOnline() && held.size < maxLinks) take(peer);
    for (const peer of toDial) {
      if (!isOnline()) return;
      if (held.size >= maxLinks || !mayDial()) break;
      take(peer);
    }
    if (isOnline()) makeRoom();
  }

  function makeRoom(): void {
    let wanted = missing();
    if (wanted <= 0) return;
    for (const { accepting, offerClose } of connections().sort((a, b) => a.lastUse - b.lastUse)) {
      if (wanted > 0 && accepting && offerClose()) wanted--;
    }
  }

  return {
    holds: (peer) => held.has(peer),
    isStarved: (peer) => toDial.has(peer) && missing() > 0,
    enqueue: (peer) => toDial.add(peer),
    admit(peer) {
      if (held.has(peer)) return accept(peer);
      toAccept.add(peer);
      drain();
      if (missing() > 0 && toAccept.delete(peer)) refuse(peer);
    },
    release(peer) {
      for (const peers of [held, dialed, toDial, toAccept]) peers.delete(peer);
    },
    drain,
  };
}
