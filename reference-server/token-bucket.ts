/**
 * A bucket of `burst` tokens that fills at `rate` a second. `take` removes one and returns how many ms to wait until it was
 * there.
 */
export function createTokenBucket(rate: number, burst: number, start: number): { take(now: number): number } {
  let tokens = burst;
  let last = start;

  return {
    take(now) {
      // A clock that is set back takes nothing away.
      tokens = Math.min(burst, tokens + (Math.max(0, now - last) * rate) / 1_000) - 1;
      last = now;
      return tokens < 0 ? Math.ceil((-tokens * 1_000) / rate) : 0;
    },
  };
}
