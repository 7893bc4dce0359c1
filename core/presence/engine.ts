import type { Connection } from "../links/connection.ts";
import type { Peer } from "../peer.ts";
import type { Query } from "../peers/query.ts";
import type { Live } from "../reactive.ts";
import type { Received } from "../wire/codec.ts";
import type { OwnPresence, PeerPresence, PresenceDefinition, PresenceOfferOptions } from "./definition.ts";
import { createOffers } from "./offers.ts";
import type { PresenceLink, PresenceOptions } from "./presence.ts";
import { createSubscriptions } from "./subscriptions.ts";
import { createWatches } from "./watches.ts";

/** The presence of a client that has used a definition. */
export interface Engine {
  /** Whether a subscription, of either side, needs the link. */
  isInUse(link: PresenceLink): boolean;
  /** The peer's hello has been read. */
  onOpened(link: PresenceLink): void;
  onSubscribe(link: PresenceLink, name: string): void;
  onStop(link: PresenceLink, name: string): void;
  /** The peer's value has arrived, or without one, the peer has withdrawn it. */
  onValue(link: PresenceLink, name: string, version: number, value: Received | undefined, isLossy: boolean): void;
  onAck(link: PresenceLink, name: string, version: number): void;
  onEnd(link: PresenceLink): void;
  /** See `Client.presence`. */
  offer(definition: PresenceDefinition, initial: unknown, options: PresenceOfferOptions): OwnPresence<any>;
  /** See `Target.presence`. */
  watch(definition: PresenceDefinition, query: Query, peers: Live<readonly Peer[]>): Live<readonly PeerPresence<any>[]>;
}

/** Creates the engine of a client with the links that are open. */
export function createEngine(options: PresenceOptions, links: ReadonlyMap<Connection<any>, PresenceLink>): Engine {
  const offers = createOffers(options, links);
  const subscriptions = createSubscriptions(options, links);
  const watches = createWatches(options, subscriptions);
  return {
    isInUse: (link) => offers.isInUse(link) || subscriptions.isInUse(link),
    onOpened: subscriptions.onOpened,
    onSubscribe: offers.onSubscribe,
    onStop: offers.onStop,
    onValue: watches.onValue,
    onAck: offers.onAck,
    onEnd(link) {
      offers.onEnd(link);
      if (subscriptions.onEnd(link)) watches.onLost(link.connection.peer);
    },
    offer: offers.add,
    watch: watches.of,
  };
}
