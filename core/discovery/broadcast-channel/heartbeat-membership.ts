import type { Clock } from "../../clock.ts";
import type { PeerId } from "../../peer.ts";
import type { Membership } from "./membership.ts";

// How long answers may take when we enter. Who is later is told as an arrival.
const answersWithin = 200;
const beat = 10_000;
// A hidden tab's timers may fire once a minute, but it answers at once. So we count questions, not seconds.
const unansweredAllowed = 2;

interface Watched {
  unanswered: number;
  gone(lost: boolean): void;
}

/** A roll for where there are no locks, as on plain http: everybody is asked every 10 s, and answers. */
export function createHeartbeatMembership(clock: Clock): Membership {
  const watched = new Map<PeerId, Watched>();
  let stop = () => {};

  function ask(announce: () => void) {
    stop = clock.after(beat, () => ask(announce));
    for (const [id, member] of [...watched]) {
      if (member.unanswered < unansweredAllowed) member.unanswered++;
      else if (watched.delete(id)) member.gone(true);
    }
    announce();
  }

  return {
    async enter(announce) {
      ask(announce);
      await new Promise<void>((resolve) => void clock.after(answersWithin, resolve));
      return [];
    },
    watch({ id }, gone) {
      watched.set(id, { unanswered: 0, gone });
      return () => watched.delete(id);
    },
    heard(id) {
      const member = watched.get(id);
      if (member) member.unanswered = 0;
    },
    leave: () => stop(),
  };
}
