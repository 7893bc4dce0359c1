import type { Clock } from "../clock.ts";
import type { Link } from "../transport/transport.ts";

/** How the bytes of a link travel, and its round trip in whole ms, where its transport can tell. */
export interface LinkStats {
  readonly path?: "direct" | "turn" | "memory" | undefined;
  readonly roundTrip?: number | undefined;
}

/** What {@link createLinkStatsPoller} needs, and whom it tells. */
export interface LinkStatsOptions {
  readonly clock: Clock;
  /** What the link to a peer has just said of itself. */
  measured(peer: string, measured: LinkStats): void;
}

/** Asks links how they are, at once and then every 2 s, while they work and somebody looks. */
export interface LinkStatsPoller {
  /** Whether somebody looks at this peer's link. */
  watch(peer: string, watched: boolean): void;
  /** The link that works now, or `undefined` when none does. */
  follow(peer: string, link: Link | undefined): void;
}

interface WatchedLink {
  watched?: boolean;
  link?: Link | undefined;
  undoNext?: () => void;
}

const askEvery = 2_000;

/** Measures nothing yet. It stops by itself where nobody looks or nothing works. */
export function createLinkStatsPoller({ clock, measured }: LinkStatsOptions): LinkStatsPoller {
  const subjects = new Map<string, WatchedLink>();

  function change(peer: string, part: Partial<WatchedLink>): void {
    const before = subjects.get(peer);
    const subject: WatchedLink = { watched: before?.watched ?? false, link: before?.link, ...part };
    before?.undoNext?.();
    if (subject.watched || subject.link) subjects.set(peer, subject);
    else subjects.delete(peer);
    void ask(peer, subject);
  }

  async function ask(peer: string, subject: WatchedLink): Promise<void> {
    const { watched, link } = subject;
    if (!watched || !link?.stats) return;
    // A link that ends while it is asked has nothing to say.
    const { path, roundTrip } = await link.stats().catch((): LinkStats => ({}));
    if (subjects.get(peer) !== subject) return;
    subject.undoNext = clock.after(askEvery, () => void ask(peer, subject));
    // Last: who hears of it may look away.
    measured(peer, { path, roundTrip: roundTrip === undefined ? undefined : Math.ceil(roundTrip) });
  }

  return {
    watch: (peer, watched) => change(peer, { watched }),
    follow: (peer, link) => change(peer, { link }),
  };
}
