/**
 * Creates a token bucket that holds `burst` tokens and is refilled with `rate` tokens a second. `take` removes one token and
 * returns the ms to wait for it.
 */
export function createTokenBucket(rate: number, burst: number, start: number): { take(now: number): number } {
  let tokens = burst;
  let last = start;

  return {
    take(now) {
      // A clock that is set back removes no tokens.
      tokens = Math.min(burst, tokens + (Math.max(0, now - last) * rate) / 1_000) - 1;
      last = now;
      return tokens < 0 ? Math.ceil((-tokens * 1_000) / rate) : 0;
    },
  };
}
