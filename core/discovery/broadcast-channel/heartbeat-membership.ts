import type { Clock } from "../../clock.ts";
import type { PeerId } from "../../peer.ts";
import type { Membership } from "./membership.ts";

// Tabs that answer later are announced as arrivals.
const answerTimeoutMs = 200;
const intervalMs = 10_000;
// Counts unanswered announcements instead of seconds: a hidden tab's timers may fire once a minute, but it answers at once.
const maxUnanswered = 2;

interface Watched {
  unanswered: number;
  onGone(lost: boolean): void;
}

/** A membership for pages without the Web Locks API, as on plain http. Announces every 10 s; the others answer. */
export function createHeartbeatMembership(clock: Clock): Membership {
  const watched = new Map<PeerId, Watched>();
  let undoTimer = () => {};

  function announceRepeatedly(announce: () => void) {
    undoTimer = clock.after(intervalMs, () => announceRepeatedly(announce));
    for (const [id, member] of [...watched]) {
      if (member.unanswered < maxUnanswered) member.unanswered++;
      else if (watched.delete(id)) member.onGone(true);
    }
    announce();
  }

  return {
    async join(announce) {
      announceRepeatedly(announce);
      await new Promise<void>((resolve) => void clock.after(answerTimeoutMs, resolve));
      return [];
    },
    watch({ id }, onGone) {
      watched.set(id, { unanswered: 0, onGone });
      return () => watched.delete(id);
    },
    onHeard(id) {
      const member = watched.get(id);
      if (member) member.unanswered = 0;
    },
    leave: () => undoTimer(),
  };
}
