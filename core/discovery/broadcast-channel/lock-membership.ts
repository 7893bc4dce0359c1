import type { Member, Membership } from "./membership.ts";

const idLength = 32;

/**
 * A roll kept by the browser: each tab holds a lock that is named after it and ends with it, however that happens.
 * Whoever waits for the lock learns of it.
 */
export function createLockMembership(locks: LockManager, room: string, own: Member): Membership {
  // Read back by its parts: quotes end the room's name, and an id has its length, so that no other room's tabs are ours.
  const prefix = JSON.stringify(room);
  const nameOf = ({ id, username }: Member) => prefix + id + username;
  const staying = new AbortController();

  return {
    async enter(announce) {
      await hold(locks, nameOf(own), staying.signal);
      // The others hear of us before we look: of two who enter at once, at least one sees the other.
      announce();
      const { held = [] } = await locks.query();
      return held.flatMap(({ name = "" }) => memberOf(name, prefix));
    },
    watch(member, gone) {
      const watching = new AbortController();
      // It rejects when we stop watching, which needs no word.
      locks.request(nameOf(member), { mode: "shared", signal: watching.signal }, () => gone(false)).catch(() => {});
      return () => watching.abort();
    },
    heard() {},
    leave: () => staying.abort(),
  };
}

/** Resolves when the lock is ours, which it is until `staying` aborts. */
function hold(locks: LockManager, name: string, staying: AbortSignal): Promise<void> {
  return new Promise((held, failed) => {
    const keep = () =>
      new Promise<void>((release) => {
        staying.addEventListener("abort", () => release());
        held();
      });
    locks.request(name, { signal: staying }, keep).catch(failed);
  });
}

function memberOf(name: string, prefix: string): Member[] {
  if (!name.startsWith(prefix)) return [];
  const own = name.slice(prefix.length);
  return [{ id: own.slice(0, idLength), username: own.slice(idLength) }];
}
