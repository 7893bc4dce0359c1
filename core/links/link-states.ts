import type { Clock } from "../clock.ts";
import type { BonevalueError } from "../errors.ts";
import { createLive, type Live, set } from "../reactive.ts";
import type { Link } from "../transport/transport.ts";
import { createWeakCache } from "../weak-cache.ts";
import { createLinkStatsPoller, type LinkStats } from "./link-stats.ts";

/** The direct connection to one peer, which exists only while it is needed. */
export interface LinkState {
  readonly status: "idle" | "connecting" | "open" | "interrupted" | "failed";
  /** How the bytes travel, once open. Told, as `roundTrip` is, while somebody subscribes. */
  readonly path?: "direct" | "turn" | "memory" | undefined;
  /** How long a message and its answer take on the way, in whole ms. */
  readonly roundTrip?: number | undefined;
  /** Why it failed or was interrupted, and what to do about it. */
  readonly error?: BonevalueError | undefined;
}

/** What apps see of our links. */
export interface LinkStates {
  /** One peer's, the same for as long as somebody holds it. */
  of(peer: string): Live<LinkState>;
  /** The link is open, or works again. Whoever hears of it, or of what else is told, may sign out before this returns. */
  works(peer: string, link: Link): void;
  /** No link works. */
  tell(peer: string, status: Exclude<LinkState["status"], "open">, error?: BonevalueError): void;
  /** It is over: idle by consent or `cancelled`, else failed. */
  over(peer: string, reason: BonevalueError | undefined): void;
}

const idle: LinkState = Object.freeze({ status: "idle" });

/** States of links that are all idle; what works is measured while somebody subscribes. */
export function createLinkStates(clock: Clock): LinkStates {
  const states = createWeakCache<Live<LinkState>>();
  const measuring = createLinkStatsPoller({ clock, measured });

  function of(peer: string): Live<LinkState> {
    return states.get(peer, (hold) =>
      createLive(idle, (watched) => {
        hold(watched);
        measuring.watch(peer, watched);
      }),
    );
  }

  function measured(peer: string, { path, roundTrip }: LinkStats): void {
    const state = of(peer);
    const before = state.peek();
    if (before.path === path && before.roundTrip === roundTrip) return;
    set(state, Object.freeze({ status: before.status, path, roundTrip }));
  }

  function tell(peer: string, status: LinkState["status"], error?: BonevalueError, link?: Link): void {
    measuring.follow(peer, link);
    set(of(peer), Object.freeze({ status, error }));
  }

  return {
    of,
    works: (peer, link) => tell(peer, "open", undefined, link),
    tell,
    over(peer, reason) {
      const failure = reason?.code === "cancelled" ? undefined : reason;
      tell(peer, failure ? "failed" : "idle", failure);
    },
  };
}
