import type { Clock } from "../clock.ts";
import type { Link, LinkPath } from "../transport/transport.ts";

/** How the bytes of a link travel, and its round-trip time in whole ms, if its transport knows. */
export interface LinkStats {
  readonly path?: LinkPath | undefined;
  readonly roundTrip?: number | undefined;
}

/** The clock, and the callback for each measurement. */
export interface LinkStatsOptions {
  readonly clock: Clock;
  onStats(peer: string, stats: LinkStats): void;
}

/** Measures links, at once and then every 2 s, while they work and there is a subscriber. */
export interface LinkStatsPoller {
  /** Sets whether there is a subscriber to this peer's link. */
  watch(peer: string, watched: boolean): void;
  /** Sets the link that works now, or `undefined` if none does. */
  follow(peer: string, link: Link | undefined): void;
}

interface WatchedLink {
  readonly isWatched: boolean;
  readonly link: Link | undefined;
  undoNext?: () => void;
}

const pollEveryMs = 2_000;

/** Creates a poller without links. It stops by itself while there is no subscriber or no link. */
export function createLinkStatsPoller({ clock, onStats }: LinkStatsOptions): LinkStatsPoller {
  const watchedLinks = new Map<string, WatchedLink>();

  function change(peer: string, part: Partial<WatchedLink>): void {
    const before = watchedLinks.get(peer);
    const next: WatchedLink = { isWatched: before?.isWatched ?? false, link: before?.link, ...part };
    before?.undoNext?.();
    if (next.isWatched || next.link) watchedLinks.set(peer, next);
    else watchedLinks.delete(peer);
    void poll(peer, next);
  }

  async function poll(peer: string, watched: WatchedLink): Promise<void> {
    const { isWatched, link } = watched;
    if (!isWatched || !link?.stats) return;
    // A link may end while it is measured.
    const { path, roundTrip } = await link.stats().catch((): LinkStats => ({}));
    if (watchedLinks.get(peer) !== watched) return;
    watched.undoNext = clock.after(pollEveryMs, () => void poll(peer, watched));
    // Last: a subscriber may unsubscribe.
    onStats(peer, { path, roundTrip: roundTrip === undefined ? undefined : Math.ceil(roundTrip) });
  }

  return {
    watch: (peer, isWatched) => change(peer, { isWatched }),
    follow: (peer, link) => change(peer, { link }),
  };
}
