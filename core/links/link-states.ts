import type { Clock } from "../clock.ts";
import type { BonevalueError } from "../errors.ts";
import { createLive, type Live, set } from "../reactive.ts";
import type { Link, LinkPath } from "../transport/transport.ts";
import { createWeakCache } from "../weak-cache.ts";
import { createLinkStatsPoller, type LinkStats } from "./link-stats.ts";

/** The state of the link to one peer. A link exists only while it is needed. */
export interface LinkState {
  /** `idle`: no link. `interrupted`: nothing arrives, but it may recover. `failed`: see `error`. */
  readonly status: "idle" | "connecting" | "open" | "interrupted" | "failed";
  /** How the bytes travel, once open. Known, like `roundTrip`, while there is a subscriber. */
  readonly path?: LinkPath | undefined;
  /** Round-trip time in whole ms. */
  readonly roundTrip?: number | undefined;
  /** Whether the peer's identity is certain. Known once the link is open. */
  readonly verified?: boolean | undefined;
  /** Why it failed or was interrupted, and what to do about it. */
  readonly error?: BonevalueError | undefined;
}

/** The link states that apps see. A subscriber may sign out before a method returns. */
export interface LinkStates {
  /** The state of one peer's link: the same object for as long as it is referenced. */
  of(peer: string): Live<LinkState>;
  /** The link is open, or works again. */
  reportOpen(peer: string, link: Link, verified: boolean): void;
  /** There is no link that works. */
  report(peer: string, status: Exclude<LinkState["status"], "open">, error?: BonevalueError): void;
  /** The link is over: idle if it ended by agreement or with `cancelled`, else failed. */
  reportEnd(peer: string, reason: BonevalueError | undefined): void;
}

const idle: LinkState = Object.freeze({ status: "idle" });

/** States of links that are all idle. Links that work are measured while there is a subscriber. */
export function createLinkStates(clock: Clock): LinkStates {
  const states = createWeakCache<Live<LinkState>>();
  const poller = createLinkStatsPoller({ clock, onStats });

  function of(peer: string): Live<LinkState> {
    return states.get(peer, (hold) =>
      createLive(idle, (watched) => {
        hold(watched);
        poller.watch(peer, watched);
      }),
    );
  }

  function onStats(peer: string, { path, roundTrip }: LinkStats): void {
    const state = of(peer);
    const before = state.peek();
    if (before.path === path && before.roundTrip === roundTrip) return;
    set(state, Object.freeze({ ...before, path, roundTrip }));
  }

  function report(
    peer: string,
    status: LinkState["status"],
    error?: BonevalueError,
    link?: Link,
    verified?: boolean,
  ): void {
    poller.follow(peer, link);
    set(of(peer), Object.freeze({ status, error, verified }));
  }

  return {
    of,
    reportOpen: (peer, link, verified) => report(peer, "open", undefined, link, verified),
    report,
    reportEnd(peer, reason) {
      const failure = reason?.code === "cancelled" ? undefined : reason;
      report(peer, failure ? "failed" : "idle", failure);
    },
  };
}
