import type { Connection } from "./connection.ts";

// One owner for the number of links, modeled on DialQueue and ConnectionPruner of js-libp2p.
//
// There are two budgets of `maxLinks` slots: one for the links that we dial, one for the links that peers dial. A peer
// takes one slot when it is admitted and gives it back when no attempt, no dial and no link of it is left. It stays in
// the budget that admitted it: if our dial and the peer's cross, the slot of our dial covers the peer's attempt, too. So
// there are never more than 2 × `maxLinks` links.
//
// A peer that finds no free slot joins the queue of its budget, which is served in order. For each queued peer one
// connection of that budget is asked to close: the least recently used that is idle. A queued peer is starved if fewer
// slots are free, or about to be, than peers are queued. A starved peer that dials us is refused with `busy`.

/** Something that can hold a slot: a peer, and the connection to it if one is open. */
export interface LinkHolder {
  readonly connection?: Pick<Connection, "accepting" | "lastUse" | "offerClose"> | undefined;
}

/** Callbacks run at once, or later when a slot becomes free. */
export interface LinkLimiterOptions<P extends LinkHolder> {
  /** Slots of each budget. */
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

interface Budget<P> {
  readonly held: Set<P>;
  readonly queue: Set<P>;
}

/** Creates a limiter whose slots are all free. */
export function createLinkLimiter<P extends LinkHolder>(options: LinkLimiterOptions<P>): LinkLimiter<P> {
  const { maxLinks, isOnline, dial, accept, refuse } = options;
  const dialed: Budget<P> = { held: new Set(), queue: new Set() };
  const accepted: Budget<P> = { held: new Set(), queue: new Set() };
  const budgets = [dialed, accepted];

  function holds(peer: P): boolean {
    return budgets.some(({ held }) => held.has(peer));
  }

  const connections = ({ held }: Budget<P>) => [...held].flatMap(({ connection }) => connection ?? []);
  const closing = (budget: Budget<P>) => connections(budget).filter(({ accepting }) => !accepting).length;

  function isStarved(budget: Budget<P>, peer: P): boolean {
    const { held, queue } = budget;
    return queue.has(peer) && queue.size > maxLinks - held.size + closing(budget);
  }

  function drain(budget: Budget<P>): void {
    for (const peer of budget.queue) {
      if (!isOnline()) return;
      if (budget.held.size >= maxLinks) break;
      // A peer that waits in both queues needs one slot for both.
      const dialsUs = accepted.queue.has(peer);
      for (const { queue } of budgets) queue.delete(peer);
      budget.held.add(peer);
      if (budget === dialed) dial(peer);
      if (dialsUs) accept(peer);
    }
    if (budget.queue.size > 0) makeRoom(budget);
  }

  function makeRoom(budget: Budget<P>): void {
    let wanted = budget.queue.size - closing(budget);
    for (const { accepting, offerClose } of connections(budget).sort((a, b) => a.lastUse - b.lastUse)) {
      if (wanted > 0 && accepting && offerClose()) wanted--;
    }
  }

  return {
    holds,
    isStarved: (peer) => isStarved(dialed, peer),
    enqueue: (peer) => dialed.queue.add(peer),
    admit(peer) {
      if (holds(peer)) accept(peer);
      else {
        accepted.queue.add(peer);
        drain(accepted);
        if (isStarved(accepted, peer) && accepted.queue.delete(peer)) refuse(peer);
      }
    },
    release(peer) {
      for (const { held, queue } of budgets) {
        held.delete(peer);
        queue.delete(peer);
      }
    },
    drain: () => budgets.forEach(drain),
  };
}
