/**
 * Creates a token bucket that holds `burst` tokens and is refilled with `rate` tokens a second. `take` removes `count` tokens,
 * by default one, and returns the ms to wait for them.
 */
export function createTokenBucket(
  rate: number,
  burst: number,
  start: number,
): { take(now: number, count?: number): number } {
  let tokens = burst;
  let last = start;

  return {
    take(now, count = 1) {
      // A clock that is set back removes no tokens.
      tokens = Math.min(burst, tokens + (Math.max(0, now - last) * rate) / 1_000) - count;
      last = now;
      return tokens < 0 ? Math.ceil((-tokens * 1_000) / rate) : 0;
    },
  };
}
