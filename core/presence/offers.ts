import { invalidNumber, isNonNegativeNumber } from "../check-arguments.ts";
import { microtask } from "../clock.ts";
import { BonevalueError } from "../errors.ts";
import type { Connection } from "../links/connection.ts";
import { freezeQuery, type Query } from "../peers/query.ts";
import { type Frame, Kind, maxLossySize, maxPresenceSize, PresenceStep } from "../wire/frames.ts";
import { type Packed, pack } from "../wire/pack.ts";
import { protocolError } from "../wire/protocol-error.ts";
import type { OwnPresence, PresenceDefinition, PresenceOfferOptions } from "./definition.ts";
import type { PresenceLink, PresenceOptions } from "./presence.ts";

// Sends the values that this page offers.
//
// - A value is packed when it is set, once for all subscribers. Nothing is sent without subscribers.
// - A change is sent at once, or when the interval since the last one is over; then the newest value counts.
// - A small value goes on *lossy*. 50 ms after its last change it goes once more on *control*, in case it got lost there. A
//   large one goes on *control* only.
// - Each value on *control* is acknowledged. Until then the next one of that name waits, and so do others while
//   `maxUnacknowledgedBytes` are on their way. The queue holds no copies: the newest value is taken when its turn comes. So a
//   peer that never reads costs this side that much, and no more.
// - All names share one timer.

/** The values that this page offers. */
export interface Offers {
  /** Whether the peer subscribes to anything that it may see. */
  isInUse(link: PresenceLink): boolean;
  /** Offers a value. Throws `module-taken` if its name is offered already. */
  add(definition: PresenceDefinition, initial: unknown, options: PresenceOfferOptions): OwnPresence<any>;
  onSubscribe(link: PresenceLink, name: string): void;
  onStop(link: PresenceLink, name: string): void;
  /** Throws `protocol` if no such value is unacknowledged. */
  onAck(link: PresenceLink, name: string, version: number): void;
  onEnd(link: PresenceLink): void;
}

const settleMs = 50;
const minIntervalMs = 16;
const intervalPerSubscriberMs = 0.55;
const maxUnacknowledgedBytes = 32 * 1_024;

interface Offer {
  readonly name: string;
  readonly allow: Query;
  readonly interval: number | undefined;
  readonly subscribers: Set<Subscriber>;
  value: unknown;
  packed: Packed;
  version: number;
  changedAt: number;
  sentAt: number;
  /** The newest version that was sent to all subscribers, on any channel. */
  sent: number;
  /** The newest version that every subscriber gets on *control*. */
  settled: number;
}

/** A link on which something was sent. */
interface Subscriber {
  readonly link: PresenceLink;
  /** The names with a value that was ever sent. */
  readonly names: Set<string>;
  /** The names whose withdrawal waits for the channel. */
  readonly withdrawals: Set<string>;
  /** The names that the peer gets: the newest version that was sent on *control* since it subscribed, or 0. */
  readonly sent: Map<string, number>;
  /** The versions and sizes of the values on *control* that are not acknowledged, by name. */
  readonly unacknowledged: Map<string, { readonly version: number; readonly size: number }>;
  unacknowledgedBytes: number;
}

/** Creates an empty list of offers. `links` are the links that are open. */
export function createOffers(
  { clock, limits, isAllowed }: Pick<PresenceOptions, "clock" | "limits" | "isAllowed">,
  links: ReadonlyMap<Connection<any>, PresenceLink>,
): Offers {
  const offers = new Map<string, Offer>();
  const subscribers = new Map<PresenceLink, Subscriber>();
  // Offers with a change that was not sent on all channels.
  const changed = new Set<Offer>();
  // Versions grow over all names and offers, so that a late value never passes for a newer one.
  let lastVersion = 0;
  let timer: { readonly at: number; readonly undo: () => void } | undefined;
  let isQueued = false;

  function subscriberOn(link: PresenceLink): Subscriber {
    const known = subscribers.get(link);
    if (known) return known;
    const created = {
      link,
      names: new Set<string>(),
      withdrawals: new Set<string>(),
      sent: new Map(),
      unacknowledged: new Map(),
      unacknowledgedBytes: 0,
    };
    subscribers.set(link, created);
    return created;
  }

  function packValue(value: unknown): Packed {
    return pack(value, { name: "presence", code: "invalid-request", depth: limits.depth, size: maxPresenceSize });
  }

  /** Returns whether the peer may subscribe. */
  function activate(offer: Offer, link: PresenceLink): boolean {
    if (!isAllowed(offer.allow, link.connection.peer)) return false;
    const subscriber = subscriberOn(link);
    offer.subscribers.add(subscriber);
    subscriber.names.add(offer.name);
    subscriber.withdrawals.delete(offer.name);
    subscriber.sent.set(offer.name, 0);
    sendReliably(offer, subscriber);
    return true;
  }

  /** At most one waits for each name: a peer may subscribe in a loop, and not read. */
  function sendWithdrawal(name: string, { link, withdrawals }: Subscriber): void {
    if (withdrawals.has(name)) return;
    withdrawals.add(name);
    const version = ++lastVersion;
    link.connection.scheduler.send("control", () => {
      withdrawals.delete(name);
      return [Kind.presence, PresenceStep.value, name, version];
    });
  }

  /** Sends the newest value on *control*, unless an earlier one is on its way. */
  function sendReliably({ name, version, packed }: Offer, subscriber: Subscriber): void {
    const { link, sent, unacknowledged, unacknowledgedBytes } = subscriber;
    const size = packed.size + name.length;
    const isBlocked = unacknowledgedBytes > 0 && unacknowledgedBytes + size > maxUnacknowledgedBytes;
    if (isBlocked || unacknowledged.has(name) || sent.get(name) === version || !fits(packed, link)) return;
    sent.set(name, version);
    unacknowledged.set(name, { version, size });
    subscriber.unacknowledgedBytes += size;
    link.connection.scheduler.send("control", [Kind.presence, PresenceStep.value, name, version, packed]);
  }

  function intervalOf({ interval, subscribers }: Offer): number {
    return interval ?? Math.max(minIntervalMs, intervalPerSubscriberMs * subscribers.size);
  }

  function sendChange(offer: Offer): void {
    offer.sentAt = clock.now();
    offer.sent = offer.version;
    const { name, version, packed, subscribers } = offer;
    if (packed.size > maxLossySize) settle(offer);
    else {
      const frame: Frame<Packed> = [Kind.presence, PresenceStep.value, name, version, packed];
      for (const { link } of subscribers) if (fits(packed, link)) link.connection.scheduler.send("lossy", frame);
    }
  }

  function settle(offer: Offer): void {
    offer.settled = offer.version;
    for (const subscriber of offer.subscribers) sendReliably(offer, subscriber);
  }

  function sendDue(): void {
    const now = clock.now();
    for (const offer of changed) {
      const isSent = offer.sent === offer.version;
      const due = isSent ? offer.changedAt + settleMs : offer.sentAt + intervalOf(offer);
      if (due <= now) (isSent ? settle : sendChange)(offer);
      if (offer.settled === offer.version) changed.delete(offer);
      else wakeBy(due <= now ? offer.changedAt + settleMs : due);
    }
  }

  function wakeBy(at: number): void {
    if (timer && timer.at <= at) return;
    timer?.undo();
    const undo = clock.after(at - clock.now(), () => {
      timer = undefined;
      sendDue();
    });
    timer = { at, undo };
  }

  function sendSoon(offer: Offer): void {
    changed.add(offer);
    const due = offer.sentAt + intervalOf(offer);
    if (due > clock.now()) wakeBy(due);
    else if (!isQueued) {
      isQueued = true;
      microtask(() => {
        isQueued = false;
        sendDue();
      });
    }
  }

  return {
    isInUse: (link) => (subscribers.get(link)?.sent.size ?? 0) > 0,
    add({ name }, initial, { allow = "*", interval }) {
      if (interval !== undefined && !isNonNegativeNumber(interval)) throw invalidNumber("interval");
      if (offers.has(name)) {
        throw new BonevalueError("module-taken", `A presence named "${name}" is already offered; stop it first.`);
      }
      const version = ++lastVersion;
      const offer: Offer = {
        name,
        allow: freezeQuery(allow),
        interval,
        subscribers: new Set(),
        value: initial,
        packed: packValue(initial),
        version,
        changedAt: clock.now(),
        sentAt: Number.NEGATIVE_INFINITY,
        sent: version,
        settled: version,
      };
      offers.set(name, offer);
      for (const link of links.values()) if (link.requested.has(name)) activate(offer, link);
      return {
        get value() {
          return offer.value;
        },
        set(value) {
          if (offers.get(name) !== offer) return;
          offer.packed = packValue(value);
          offer.value = value;
          offer.version = ++lastVersion;
          offer.changedAt = clock.now();
          if (offer.subscribers.size > 0) sendSoon(offer);
          else offer.sent = offer.settled = offer.version;
        },
        stop() {
          if (offers.get(name) !== offer) return;
          offers.delete(name);
          changed.delete(offer);
          for (const subscriber of offer.subscribers) {
            subscriber.sent.delete(name);
            sendWithdrawal(name, subscriber);
          }
        },
      };
    },
    onSubscribe(link, name) {
      const offer = offers.get(name);
      if (offer && activate(offer, link)) return;
      const subscriber = subscribers.get(link);
      // The peer may read a value that was sent before its last `stop`, and would take it for a current one.
      if (subscriber?.names.has(name)) sendWithdrawal(name, subscriber);
    },
    onStop(link, name) {
      const subscriber = subscribers.get(link);
      if (!subscriber) return;
      subscriber.sent.delete(name);
      offers.get(name)?.subscribers.delete(subscriber);
    },
    onAck(link, name, version) {
      const subscriber = subscribers.get(link);
      const acknowledged = subscriber?.unacknowledged.get(name);
      if (!subscriber || acknowledged?.version !== version) throw protocolError("an unexpected frame");
      subscriber.unacknowledged.delete(name);
      subscriber.unacknowledgedBytes -= acknowledged.size;
      for (const requested of link.requested) {
        const offer = offers.get(requested);
        if (!offer?.subscribers.has(subscriber)) continue;
        if ((subscriber.sent.get(requested) ?? 0) < offer.settled) sendReliably(offer, subscriber);
      }
    },
    onEnd(link) {
      const subscriber = subscribers.get(link);
      if (!subscriber) return;
      subscribers.delete(link);
      for (const offer of offers.values()) offer.subscribers.delete(subscriber);
    },
  };
}

/** Whether the peer accepts values of this size. Otherwise it would end the link. */
function fits({ size }: Packed, { connection }: PresenceLink): boolean {
  return size <= (connection.remote?.value ?? 0);
}
