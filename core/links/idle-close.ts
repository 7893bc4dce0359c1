import type { Clock } from "../clock.ts";
import { CloseStep } from "../wire/frames.ts";
import { type CloseMove, initialCloseState, offer, readStep } from "./close-handshake.ts";

// Longer than any round trip that a link lives through.
const answerTimeout = 5_000;

/** What closing by consent needs of its connection. */
export interface IdleCloseOptions {
  readonly clock: Clock;
  /** For how long the connection stays open though we have not used it yet, in ms. */
  readonly grace: number;
  /** For how long it stays open once the other side has said that it still uses it, in ms. */
  readonly idleTimeout: number;
  /** Whether nothing is open either way, nor waits to be sent. */
  isIdle(): boolean;
  say(step: number, channel: "control" | "bulk"): void;
  /** Calls may start again, or its place may be asked for again. */
  release(): void;
  /** Both sides agree, or the other has not answered. */
  close(): void;
  /** The other side would keep it, and does not use it: it has to make room. */
  evict(): void;
}

/** Decides when a connection that nobody uses is closed, and agrees on it with the other side. */
export interface IdleClose {
  /** Whether a call may start now. */
  readonly accepting: boolean;
  /** Whether we have agreed to close. */
  readonly consented: boolean;
  /** Our own use: until `linger` ms from now we neither offer nor consent. */
  use(linger: number): void;
  /**
   * Its place is wanted: offers at once, unless something is open. Where the other side has said that it stays, evicts it
   * 5 s later; `release` says when to ask again. Whether it makes room.
   */
  offer(): boolean;
  /** Nothing is open any more, nor waits to be sent. */
  rested(): void;
  read(step: number, channel: "control" | "bulk"): void;
  stop(): void;
}

/** Watches a connection that has just opened. Its owner ends it with `stop`. */
export function createIdleClose({
  clock,
  grace,
  idleTimeout,
  isIdle,
  say,
  release,
  close,
  evict,
}: IdleCloseOptions): IdleClose {
  let closing = initialCloseState;
  let wantedUntil = clock.now();
  let offerAt = clock.now() + grace;
  let evictAt = Number.POSITIVE_INFINITY;
  let undoStay: (() => void) | undefined;
  let undoCheck: (() => void) | undefined;
  let undoAnswer: (() => void) | undefined;
  check();

  // Use is frequent, so it only writes down a time; the timer looks at it when it fires.
  function check(): void {
    undoCheck?.();
    undoCheck = clock.after(Math.max(wantedUntil, offerAt) - clock.now(), () => {
      undoCheck = undefined;
      if (clock.now() < Math.max(wantedUntil, offerAt)) check();
      else if (isIdle()) perform(offer(closing));
      // Otherwise it is looked at again when that has changed.
    });
  }

  function perform({ state, say: said, outcome }: CloseMove): void {
    closing = state;
    for (const channel of said?.on ?? []) say(said!.step, channel);
    if (outcome === "close") close();
    else if (outcome === "release") stay();
    else if ((closing.offering || closing.accepted) && !undoAnswer) undoAnswer = clock.after(answerTimeout, close);
  }

  /** The other side uses the link. It offers when that has changed; we ask again only in case it forgets. */
  function stay(): void {
    undoAnswer?.();
    undoAnswer = undefined;
    offerAt = clock.now() + idleTimeout;
    evictAt = clock.now() + answerTimeout;
    undoStay?.();
    undoStay = clock.after(answerTimeout, release);
    check();
    release();
  }

  const idleClose: IdleClose = {
    get accepting() {
      return !closing.offering && !closing.accepted;
    },
    get consented() {
      return closing.accepted;
    },
    use(linger) {
      wantedUntil = Math.max(wantedUntil, clock.now() + linger);
      const late = offerAt > clock.now();
      offerAt = clock.now();
      if (late || !undoCheck) check();
    },
    offer() {
      if (!isIdle()) return false;
      if (clock.now() >= offerAt) perform(offer(closing));
      else if (clock.now() >= evictAt) evict();
      else return false;
      return true;
    },
    rested() {
      if (!undoCheck && idleClose.accepting) check();
    },
    read(step, channel) {
      perform(readStep(closing, step, channel, isIdle() && clock.now() >= wantedUntil));
      if (step !== CloseStep.offer || closing.accepted) return;
      // The other side does without: from now on only our own use keeps the link.
      offerAt = clock.now();
      check();
    },
    stop() {
      undoCheck?.();
      undoAnswer?.();
      undoStay?.();
    },
  };
  return idleClose;
}
