import * as v from "valibot";
import { boundedCount, boundedText } from "../bounded-schemas.ts";
import type { Clock } from "../clock.ts";
import { createRateLimiter } from "../rate-limiter.ts";
import type { Candidate, Description, SignalExchange, SignalListener } from "../transport/transport.ts";
import type { Role } from "./dial-state.ts";

/** What one peer tells another through discovery while they make a link. */
export interface Signal {
  /** Which of the caller's dials it speaks of, from 1. */
  readonly attempt: number;
  /** Counts the attempt's descriptions: 0, then one for each ICE restart. */
  readonly round: number;
  readonly description?: Description | undefined;
  readonly candidates?: readonly Candidate[] | undefined;
  /** Refuses or gives up, with an error code. */
  readonly end?: string | undefined;
}

/** Candidates in one signal, and in one round: more of a round are dropped. */
export const maxCandidates = 32;

const join = 50;
const repeatEvery = 2_000;
// Enough for the 15 s in which an attempt or a restart succeeds or has failed.
const repeats = 8;
// How many rounds the other side may want: each costs us processor time, and places at relays. A refused one is said again.
const roundsWanted = 5;
const roundsWithin = 10_000;
// What the other side misses is said again at once, but not as often as it likes: it is longer than the question.
const answerEvery = 100;

const candidate: v.GenericSchema<unknown, Candidate> = v.object({
  candidate: v.optional(boundedText(1_024)),
  sdpMid: v.nullish(boundedText(64)),
  sdpMLineIndex: v.nullish(boundedCount(0)),
  usernameFragment: v.nullish(boundedText(256)),
});

// Counted before each is looked at: a signal over a link may have room for millions.
const fewCandidates = v.custom<unknown[]>((value) => Array.isArray(value) && value.length <= maxCandidates);

/** A signal as it may arrive from anybody: sizes are bounded, unknown fields are dropped. */
export const signal: v.GenericSchema<unknown, Signal> = v.object({
  attempt: boundedCount(1),
  round: boundedCount(0),
  description: v.optional(v.object({ type: boundedText(16), sdp: boundedText(16_384) })),
  candidates: v.optional(v.pipe(fewCandidates, v.array(candidate))),
  end: v.optional(boundedText(64)),
});

/** One attempt's signals, as the dialer holds them. */
export interface Signaling {
  /** What the transport is given. */
  readonly exchange: SignalExchange;
  /** Whether the other side has described itself, in any round. */
  readonly answered: boolean;
  /** A validated signal of this attempt has arrived. */
  receive(signal: Signal): void;
  /** Says at once what would be said at the next repeat. */
  resend(): void;
  stop(): void;
}

/** What {@link createSignaling} needs. `send` may lose what it is given: everything is said again every 2 s. */
export interface SignalingOptions {
  readonly role: Role;
  readonly attempt: number;
  readonly clock: Clock;
  send(signal: Signal): void;
  iceServers(): readonly RTCIceServer[];
}

/** Speaks for one side of one attempt until `stop`. */
export function createSignaling({ role, attempt, clock, send, iceServers }: SignalingOptions): Signaling {
  const mayWant = createRateLimiter(clock, roundsWanted, roundsWithin);
  const mayAnswer = createRateLimiter(clock, 1, answerEvery);
  let generation = 0;
  let sent = nothing();
  let received = nothing();
  let listener: SignalListener | undefined;
  let asking = false;
  let answered = false;
  let stopped = false;
  let left = 0;
  let undoJoin: (() => void) | undefined;
  let undoRepeat: (() => void) | undefined;

  function begin(next: number): void {
    generation = next;
    sent = nothing();
    received = nothing();
    asking = false;
    undoJoin?.();
    undoJoin = undefined;
  }

  function sendAll(): void {
    undoJoin?.();
    undoJoin = undefined;
    sent.passed = sent.candidates.length;
    if (sent.description)
      send({ attempt, round: generation, description: sent.description, ...listed(sent.candidates) });
    if (asking) send({ attempt, round: generation + 1 });
  }

  function sendNew(): void {
    undoJoin = undefined;
    const fresh = sent.candidates.slice(sent.passed);
    sent.passed = sent.candidates.length;
    send({ attempt, round: generation, ...listed(fresh) });
  }

  function sayNowAndAgain(): void {
    sendAll();
    undoRepeat?.();
    undoRepeat = left-- > 0 ? clock.after(repeatEvery, sayNowAndAgain) : undefined;
  }

  function speak(): void {
    left = repeats;
    sayNowAndAgain();
  }

  function settle(): void {
    asking = false;
    undoRepeat?.();
    undoRepeat = undefined;
  }

  /** Takes what is new in `signal`, and tells the listener what it can already use. */
  function learn({ description, candidates = [] }: Signal): void {
    if (description && !received.description) {
      received.description = description;
      answered = true;
      listener?.description(description);
    }
    for (const candidate of candidates) remember(received, candidate);
    passOn();
  }

  function passOn(): void {
    if (!listener || !received.description) return;
    const fresh = received.candidates.slice(received.passed);
    received.passed = received.candidates.length;
    for (const candidate of fresh) listener.candidate(candidate);
  }

  return {
    get answered() {
      return answered;
    },
    receive(signal) {
      if (stopped || signal.round < generation) return;
      if (signal.round > generation) {
        const sensible = role === "callee" || (signal.round === generation + 1 && !signal.description);
        if (!sensible || !mayWant()) return;
        if (role === "caller") return listener?.restart();
        begin(signal.round);
      }
      // A caller that says its description again has not heard our answer; a callee that asks for this round, our offer.
      const missed = role === "callee" ? signal.description : !signal.description && !signal.candidates;
      learn(signal);
      if (missed && undoRepeat && mayAnswer()) sendAll();
    },
    resend() {
      if (undoRepeat) sayNowAndAgain();
    },
    stop() {
      stopped = true;
      settle();
      undoJoin?.();
    },
    exchange: {
      describe(description) {
        if (stopped) return;
        if (role === "caller" && sent.description) begin(generation + 1);
        sent.description = description;
        speak();
      },
      candidate(candidate) {
        if (stopped || !remember(sent, candidate) || !sent.description || undoJoin) return;
        // The first of a round is often all that is needed, so it waits only for those found at the same moment.
        undoJoin = clock.after(sent.passed === 0 ? 0 : join, sendNew);
      },
      restart() {
        if (stopped || role === "caller") return;
        asking = true;
        speak();
      },
      settled: settle,
      hear(heard) {
        listener = heard;
        if (received.description) listener.description(received.description);
        passOn();
      },
      iceServers,
    },
  };
}

/** One side's part of one round. The first `passed` of its candidates have been said, or handed on. */
interface Part {
  description: Description | undefined;
  readonly candidates: Candidate[];
  readonly keys: Set<string>;
  passed: number;
}

function nothing(): Part {
  return { description: undefined, candidates: [], keys: new Set(), passed: 0 };
}

function listed(candidates: readonly Candidate[]): Pick<Signal, "candidates"> {
  return candidates.length > 0 ? { candidates: [...candidates] } : {};
}

/** Whether it is new and there was room for it. */
function remember(part: Part, candidate: Candidate): boolean {
  const key = JSON.stringify([candidate.candidate, candidate.sdpMid, candidate.sdpMLineIndex]);
  if (part.keys.has(key) || part.keys.size === maxCandidates) return false;
  part.keys.add(key);
  part.candidates.push(candidate);
  return true;
}
