import type { Clock } from "./clock.ts";

/** Dependencies and times (ms) of a heartbeat. */
export interface HeartbeatParts {
  readonly clock: Clock;
  readonly limits: { readonly pingEvery: number; readonly idleTimeout: number };
  readonly lastHeard: () => number;
  /** Called every `pingEvery` ms. */
  readonly beat: () => void;
  /** Called when nothing has arrived for `idleTimeout` ms; the heartbeat stops. */
  readonly silent: () => void;
}

// A timer that fires later than this, in ms, means that this process slept: the machine was suspended or overloaded.
const sleepThreshold = 1_000;

/** Starts a heartbeat; returns a function that stops it. After a sleep of this process, silence counts from waking up. */
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
    if (now - nextPulse > sleepThreshold) awakeSince = now;
    if (now >= silentFrom()) {
      silent();
      return;
    }
    // The second condition: the clock was set back.
    if (now >= nextBeat || nextBeat - now > limits.pingEvery) {
      nextBeat = now + limits.pingEvery;
      beat();
    }
    wait();
  }
}
