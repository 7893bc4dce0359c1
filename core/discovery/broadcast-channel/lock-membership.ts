import type { Member, Membership } from "./membership.ts";

const idLength = 32;

/**
 * A membership by the Web Locks API. Each tab holds an exclusive lock named after it, which the browser releases when the
 * tab ends for any reason. The other tabs request the same lock, and get it when the tab is gone.
 */
export function createLockMembership(locks: LockManager, channel: string, own: Member): Membership {
  // The quotes of JSON end the channel's name, and an id has a fixed length, so names of other channels never match.
  const prefix = JSON.stringify(channel);
  const nameOf = ({ id, username }: Member) => prefix + id + username;
  const membership = new AbortController();

  return {
    async join(announce) {
      await hold(locks, nameOf(own), membership.signal);
      // Announce first, then query: of two tabs that join at once, at least one sees the other.
      announce();
      const { held = [] } = await locks.query();
      // A tab that is told that another one has left holds that one's lock for a moment, shared.
      return held.flatMap(({ name = "", mode }) => (mode === "exclusive" ? memberOf(name, prefix) : []));
    },
    watch(member, onGone) {
      const watching = new AbortController();
      // The request rejects when the watch is undone.
      locks.request(nameOf(member), { mode: "shared", signal: watching.signal }, () => onGone(false)).catch(() => {});
      return () => watching.abort();
    },
    onHeard() {},
    leave: () => membership.abort(),
  };
}

/** Resolves when this tab holds the lock. Holds it until `signal` aborts. */
function hold(locks: LockManager, name: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const untilAborted = () =>
      new Promise<void>((release) => {
        signal.addEventListener("abort", () => release());
        resolve();
      });
    locks.request(name, { signal }, untilAborted).catch(reject);
  });
}

function memberOf(name: string, prefix: string): Member[] {
  if (!name.startsWith(prefix)) return [];
  const own = name.slice(prefix.length);
  return [{ id: own.slice(0, idLength), username: own.slice(idLength) }];
}
