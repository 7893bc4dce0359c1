import * as v from "valibot";
import { count, text } from "../bounded.ts";
import type { Clock } from "../clock.ts";
import type { Candidate, Description, SignalExchange, SignalListener } from "../transport/transport.ts";
import type { Role } from "./dialling.ts";
import { createRate } from "./rate.ts";

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
  candidate: v.optional(text(1_024)),
  sdpMid: v.nullish(text(64)),
  sdpMLineIndex: v.nullish(count(0)),
  usernameFragment: v.nullish(text(256)),
});

// Counted before each is looked at: a signal over a link may have room for millions.
const fewCandidates = v.custom<unknown[]>((value) => Array.isArray(value) && value.length <= maxCandidates);

/** A signal as it may arrive from anybody: sizes are bounded, unknown fields are dropped. */
export const signal: v.GenericSchema<unknown, Signal> = v.object({
  attempt: count(1),
  round: count(0),
  description: v.optional(v.object({ type: text(16), sdp: text(16_384) })),
  candidates: v.optional(v.pipe(fewCandidates, v.array(candidate))),
  end: v.optional(text(64)),
});

/** One attempt's signals, as the dialler holds them. */
export interface Signals {
  /** What the transport is given. */
  readonly exchange: SignalExchange;
  /** Whether the other side has described itself, in any round. */
  readonly answered: boolean;
  /** A validated signal of this attempt has arrived. */
  receive(signal: Signal): void;
  /** Says at once what would be said at the next repeat. */
  repeat(): void;
  stop(): void;
}

/** What {@link createSignals} needs. `send` may lose what it is given: everything is said again every 2 s. */
export interface SignalsOptions {
  readonly role: Role;
  readonly attempt: number;
  readonly clock: Clock;
  send(signal: Signal): void;
  iceServers(): readonly RTCIceServer[];
}

/** Speaks for one side of one attempt until `stop`. */
export function createSignals({ role, attempt, clock, send, iceServers }: SignalsOptions): Signals {
  const mayWant = createRate(clock, roundsWanted, roundsWithin);
  const mayAnswer = createRate(clock, 1, answerEvery);
  let round = 0;
  let said = nothing();
  let known = nothing();
  let listener: SignalListener | undefined;
  let asking = false;
  let answered = false;
  let stopped = false;
  let left = 0;
  let undoJoin: (() => void) | undefined;
  let undoRepeat: (() => void) | undefined;

  function begin(next: number): void {
    round = next;
    said = nothing();
    known = nothing();
    asking = false;
    undoJoin?.();
    undoJoin = undefined;
  }

  function sayAll(): void {
    undoJoin?.();
    undoJoin = undefined;
    said.passed = said.candidates.length;
    if (said.description) send({ attempt, round, description: said.description, ...listed(said.candidates) });
    if (asking) send({ attempt, round: round + 1 });
  }

  function sayNew(): void {
    undoJoin = undefined;
    const fresh = said.candidates.slice(said.passed);
    said.passed = said.candidates.length;
    send({ attempt, round, ...listed(fresh) });
  }

  function sayNowAndAgain(): void {
    sayAll();
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
    if (description && !known.description) {
      known.description = description;
      answered = true;
      listener?.description(description);
    }
    for (const candidate of candidates) remember(known, candidate);
    passOn();
  }

  function passOn(): void {
    if (!listener || !known.description) return;
    const fresh = known.candidates.slice(known.passed);
    known.passed = known.candidates.length;
    for (const candidate of fresh) listener.candidate(candidate);
  }

  return {
    get answered() {
      return answered;
    },
    receive(signal) {
      if (stopped || signal.round < round) return;
      if (signal.round > round) {
        const sensible = role === "callee" || (signal.round === round + 1 && !signal.description);
        if (!sensible || !mayWant()) return;
        if (role === "caller") return listener?.restart();
        begin(signal.round);
      }
      // A caller that says its description again has not heard our answer; a callee that asks for this round, our offer.
      const missed = role === "callee" ? signal.description : !signal.description && !signal.candidates;
      learn(signal);
      if (missed && undoRepeat && mayAnswer()) sayAll();
    },
    repeat() {
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
        if (role === "caller" && said.description) begin(round + 1);
        said.description = description;
        speak();
      },
      candidate(candidate) {
        if (stopped || !remember(said, candidate) || !said.description || undoJoin) return;
        // The first of a round is often all that is needed, so it waits only for those found at the same moment.
        undoJoin = clock.after(said.passed === 0 ? 0 : join, sayNew);
      },
      restart() {
        if (stopped || role === "caller") return;
        asking = true;
        speak();
      },
      settled: settle,
      hear(heard) {
        listener = heard;
        if (known.description) listener.description(known.description);
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
