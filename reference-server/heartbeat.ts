import type { Clock } from "./clock.ts";

/** What a heartbeat is made of. Times in ms. */
export interface HeartbeatParts {
  readonly clock: Clock;
  readonly limits: { readonly pingEvery: number; readonly silence: number };
  readonly lastHeard: () => number;
  /** Every `pingEvery`. */
  readonly beat: () => void;
  /** Nothing was heard for `silence`; the heart stops. */
  readonly silent: () => void;
}

/** Beats until its undo is called. */
export function startHeartbeat({ clock, limits, lastHeard, beat, silent }: HeartbeatParts): () => void {
  let nextBeat = clock.now() + limits.pingEvery;
  let stop = () => {};
  wait();
  return () => stop();

  function wait(): void {
    const next = Math.min(nextBeat, lastHeard() + limits.silence);
    stop = clock.after(next - clock.now(), pulse);
  }

  function pulse(): void {
    const now = clock.now();
    if (now - lastHeard() >= limits.silence) {
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
