import type { Clock } from "../clock.ts";
import { createTokenBucket } from "../token-bucket.ts";
import type { RelayLimits } from "./limits.ts";
import type { RateLimit } from "./pipe.ts";

/** The rate limits of accounts and rooms. All pipes of one share one limit. */
export interface Rates {
  /** Returns the limit of `owner`. Call `release` once for each call. */
  acquire(owner: string): RateLimit;
  release(owner: string): void;
}

/** Creates the rate limits of a node. */
export function createRates(clock: Clock, { bytesPerSecond, burst }: RelayLimits): Rates {
  const entries = new Map<string, { readonly limit: RateLimit; users: number; stopTimer: () => void }>();
  // A new bucket is full. An old one is kept for the time, in ms, after which it is full, too.
  const refillTime = burst === Number.POSITIVE_INFINITY ? 0 : (burst / bytesPerSecond) * 1_000;

  return {
    acquire(owner) {
      const entry = entries.get(owner) ?? {
        limit: createTokenBucket(bytesPerSecond, burst, clock.now()),
        users: 0,
        stopTimer: () => {},
      };
      entry.stopTimer();
      entry.users++;
      entries.set(owner, entry);
      return entry.limit;
    },
    release(owner) {
      const entry = entries.get(owner)!;
      entry.users--;
      if (entry.users === 0) entry.stopTimer = clock.after(refillTime, () => entries.delete(owner));
    },
  };
}
