import type { Member, Roll } from "./roll.ts";

/**
 * A roll kept by the browser: each tab holds a lock that is named after it and ends with it, however that happens.
 * Whoever waits for the lock learns of it.
 */
export function createLockRoll(locks: LockManager, room: string, own: Member): Roll {
  const nameOf = ({ id, username }: Member) => `${room}/${id}/${username}`;
  const staying = new AbortController();

  return {
    async enter(announce) {
      await hold(locks, nameOf(own), staying.signal);
      // The others hear of us before we look: of two who enter at once, at least one sees the other.
      announce();
      const { held = [] } = await locks.query();
      return held.flatMap(({ name = "" }) => memberOf(name, room));
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

function memberOf(name: string, room: string): Member[] {
  if (!name.startsWith(`${room}/`)) return [];
  const [id = "", ...username] = name.slice(room.length + 1).split("/");
  return [{ id, username: username.join("/") }];
}
