import type { Clock } from "../clock.ts";
import { CloseStep } from "../wire/frames.ts";
import { type CloseTransition, initialCloseState, offer, readStep } from "./close-handshake.ts";

// Longer than any round trip of a link that works. docs/protocol.md, "Closing".
const answerTimeoutMs = 5_000;

/** Times in ms. */
export interface IdleCloseOptions {
  readonly clock: Clock;
  /** How long the connection stays open before its first use. */
  readonly unusedTimeout: number;
  /** How long it stays open after the peer has declined to close it. */
  readonly idleTimeout: number;
  /** Whether no call and no stream is open, either way, and nothing is left to send. */
  isIdle(): boolean;
  send(step: number, channel: "control" | "bulk"): void;
  /** The connection accepts calls again, or may be offered again. */
  onRelease(): void;
  /** Both sides have agreed to close, or the peer has not answered. */
  close(agreed: boolean): void;
  /** The slot is wanted and the peer does not agree to close: close the connection anyway. */
  evict(): void;
}

/** Closes an unused connection, in agreement with the peer. */
export interface IdleClose {
  /** Whether a call may start now. */
  readonly accepting: boolean;
  /** Whether we have agreed to close. */
  readonly accepted: boolean;
  /** Our own use: we neither offer nor agree to close for `keepOpenMs` from now. */
  keepOpen(keepOpenMs: number): void;
  /**
   * The slot is wanted: offers to close and returns `true`, unless something is open. A peer that declines is left alone
   * for 5 s, and evicted if it then declines again. `onRelease` runs when another offer may help.
   */
  offer(): boolean;
  /** To be called when nothing is open any more, and nothing is left to send. */
  onIdle(): void;
  /** Reads a step of the peer. */
  readStep(step: number, channel: "control" | "bulk"): void;
  stop(): void;
}

/** Watches a connection that has just opened. Its owner ends it with `stop`. */
export function createIdleClose(options: IdleCloseOptions): IdleClose {
  const { clock, unusedTimeout, idleTimeout, isIdle, send, onRelease, close, evict } = options;
  let state = initialCloseState;
  let wantedUntil = clock.now();
  let offerAt = clock.now() + unusedTimeout;
  let evictAt = Number.POSITIVE_INFINITY;
  let mustEvict = false;
  let undoCheck: (() => void) | undefined;
  let undoAnswer: (() => void) | undefined;
  let undoRelease: (() => void) | undefined;
  check();

  // `keepOpen` is called often, so it only writes down a time. The timer compares it when it fires.
  function check(): void {
    undoCheck?.();
    undoCheck = clock.after(Math.max(wantedUntil, offerAt) - clock.now(), () => {
      undoCheck = undefined;
      if (clock.now() < Math.max(wantedUntil, offerAt)) check();
      else if (isIdle()) perform(offer(state));
      // Otherwise `onIdle` checks again.
    });
  }

  function perform({ state: next, send: step, outcome }: CloseTransition): void {
    state = next;
    for (const channel of step?.channels ?? []) send(step!.step, channel);
    if (outcome === "close") close(true);
    else if (outcome === "release") declined();
    else if (!idleClose.accepting) undoAnswer ??= clock.after(answerTimeoutMs, () => close(state.accepted));
  }

  /** The peer uses the link, or wants to keep it. It will offer when that changes. Ours is repeated in case it does not. */
  function declined(): void {
    undoAnswer?.();
    undoAnswer = undefined;
    // It has read all that was sent before our offer, so that nothing of ours is lost.
    if (mustEvict && isIdle()) {
      evict();
      return;
    }
    mustEvict = false;
    evictAt = Math.min(evictAt, clock.now() + answerTimeoutMs);
    offerAt = clock.now() + idleTimeout;
    check();
    onRelease();
  }

  const idleClose: IdleClose = {
    get accepting() {
      return !state.offering && !state.accepted;
    },
    get accepted() {
      return state.accepted;
    },
    keepOpen(keepOpenMs) {
      wantedUntil = Math.max(wantedUntil, clock.now() + keepOpenMs);
      const isTimerLate = offerAt > clock.now();
      offerAt = clock.now();
      if (isTimerLate || !undoCheck) check();
    },
    offer() {
      if (!isIdle()) return false;
      mustEvict = clock.now() >= evictAt;
      const waits = evictAt < Number.POSITIVE_INFINITY && !mustEvict;
      if (waits) undoRelease ??= clock.after(evictAt - clock.now(), onRelease);
      else perform(offer(state));
      return !waits;
    },
    onIdle() {
      if (!undoCheck && idleClose.accepting) check();
    },
    readStep(step, channel) {
      perform(readStep(state, step, channel, isIdle() && clock.now() >= wantedUntil));
      if (step !== CloseStep.offer || state.accepted) return;
      // The peer does without the link: from now on only our own use keeps it.
      offerAt = clock.now();
      check();
    },
    stop() {
      undoCheck?.();
      undoAnswer?.();
      undoRelease?.();
    },
  };
  return idleClose;
}
