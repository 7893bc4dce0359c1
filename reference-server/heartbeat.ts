import type { Clock } from "./clock.ts";

/** What a heartbeat is made of. Times in ms. */
export interface HeartbeatParts {
  readonly clock: Clock;
  readonly limits: { readonly pingEvery: number; readonly idleTimeout: number };
  readonly lastHeard: () => number;
  /** Every `pingEvery`. */
  readonly beat: () => void;
  /** Nothing was heard for `idleTimeout` ms; the heart stops. */
  readonly silent: () => void;
}

// A pulse that is later than this, in ms, comes after a sleep of our own: the machine was suspended, or far too busy.
const asleep = 1_000;

/** Beats until its undo is called. After a sleep of our own, silence counts from the waking. */
export function startHeartbeat({ clock, limits, lastHeard, beat, silent }: HeartbeatParts): () => void {
  let nextBeat = clock.now() + limits.pingEvery;
  let nextPulse = 0;
  let awakeSince = 0;
  let stop = () => {};
  wait();
  return () => stop();

  function silentFrom(): number {
    return Math.max(lastHeard(), awakeSince) + limits.idleTimeout;
  }

  function wait(): void {
    nextPulse = Math.min(nextBeat, silentFrom());
    stop = clock.after(nextPulse - clock.now(), pulse);
  }

  function pulse(): void {
    const now = clock.now();
    if (now - nextPulse > asleep) awakeSince = now;
    if (now >= silentFrom()) {
      silent();
      return;
    }
    // Or the clock was set back.
    if (now >= nextBeat || nextBeat - now > limits.pingEvery) {
      nextBeat = now + limits.pingEvery;
      beat();
    }
    wait();
  }
}
