import { type Clock, every } from "./clock.ts";
import type { Log } from "./log.ts";
import type { Store } from "./store/store.ts";

// Changes take effect within a second.
const pollEvery = 500;
// The clocks of this server and of the machine that makes a change may differ by this time, in ms.
const maxClockSkew = 600_000;

/** Calls `onChange` after accounts were changed beside this server, as by the command line; returns the undo. */
export function watchChanges(store: Store, clock: Clock, log: Log, onChange: () => Promise<void>): () => void {
  const { changes } = store;
  if (changes === undefined) return () => {};
  const startedAt = clock.now();
  // Recent changes that were handled, and when they were first seen.
  const handled = new Map<string, number>();

  async function poll(): Promise<void> {
    const now = clock.now();
    const recent = await changes!(Math.max(startedAt, now) - maxClockSkew);
    const fresh = recent.filter(({ id }) => !handled.has(id));
    if (fresh.length > 0) await onChange();
    for (const { id } of fresh) handled.set(id, now);
    for (const [id, seen] of handled) if (now - seen > 3 * maxClockSkew) handled.delete(id);
  }

  return every(clock, pollEvery, () =>
    poll().catch((error: unknown) => log.debug({ error }, "changes of accounts cannot be read; retrying")),
  );
}
