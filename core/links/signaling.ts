import * as v from "valibot";
import { boundedCount, boundedText } from "../bounded-schemas.ts";
import type { Clock } from "../clock.ts";
import { createRateLimiter } from "../rate-limiter.ts";
import type { OpenRelay } from "../relay-access.ts";
import type {
  Candidate,
  Description,
  RelayDescription,
  SignalExchange,
  SignalListener,
} from "../transport/transport.ts";
import type { Role } from "./dial-state.ts";

// Carries one attempt's descriptions and candidates over a relay that may lose, repeat and reorder signals.
// docs/protocol.md, "Signals".
//
// The signals of one description form a generation (ICE, RFC 8445: each restart begins one), `round` on the wire. Only
// the caller begins a generation; the callee may ask for the next one with a signal that has no description. Signals of
// an earlier generation are ignored.
//
// New candidates leave at once, or batched with others within 50 ms. Everything that was sent in the generation is
// sent again every 2 s until the link works, so a lost signal needs no acknowledgement. The receiver drops parts that it knows
// and gives the transport each description before its candidates. A side that shows that it has missed our part is
// answered at once. Both a peer's generations and these answers are limited, since each costs us more than the peer.
//
// The descriptions of a relayed link belong to no generation: each side sends one, in signals of their own.

/** The signal from one peer to another, relayed by discovery, while they make a link. */
export interface Signal {
  /** The number of the caller's dial that it is about. */
  readonly attempt: number;
  /** The generation: 0, then one more for each ICE restart. */
  readonly round: number;
  readonly description?: Description | undefined;
  readonly candidates?: readonly Candidate[] | undefined;
  readonly relay?: RelayDescription | undefined;
  /** Refuses the attempt or gives it up, with an error code. */
  readonly end?: string | undefined;
}

/** How many candidates a signal, and a generation, may have. More are dropped. */
export const maxCandidates = 32;

const batchDelayMs = 50;
const repeatEveryMs = 2_000;
// Enough for the 15 s in which an attempt or a restart succeeds or has failed.
const repeats = 8;
// How many generations the peer may begin or ask for: each costs us processor time, and allocations at TURN servers.
// The peer repeats a refused generation.
const generationsOfPeer = 5;
const generationsPeriodMs = 10_000;
// How often the peer may have all of our part at once: it is longer than the question.
const answerEveryMs = 100;

const candidate: v.GenericSchema<unknown, Candidate> = v.object({
  candidate: v.optional(boundedText(1_024)),
  sdpMid: v.nullish(boundedText(64)),
  sdpMLineIndex: v.nullish(boundedCount(0)),
  usernameFragment: v.nullish(boundedText(256)),
});

// Together they fit into the server's frame, with the candidates.
const maxDescription = 16_384;
const shortText = boundedText(16);
const proof = v.optional(boundedText(4_096));
const description = v.pipe(
  v.object({ type: shortText, sdp: boundedText(maxDescription), proof }),
  v.check(({ sdp, proof = "" }) => sdp.length + proof.length <= maxDescription),
);

const signal: v.GenericSchema<unknown, Signal> = v.object({
  attempt: boundedCount(1),
  round: boundedCount(0),
  description: v.optional(description),
  candidates: v.optional(v.array(candidate)),
  relay: v.optional(v.object({ algorithm: shortText, publicKey: boundedText(256), proof })),
  end: v.optional(boundedText(64)),
});

/** Returns a signal from any sender if it is valid. Its sizes are bounded, and unknown fields are dropped. */
export function readSignal(raw: unknown): Signal | undefined {
  // Counted before each is checked: a signal over a link may hold millions.
  if (Object(raw).candidates?.length > maxCandidates) return undefined;
  const { success, output } = v.safeParse(signal, raw);
  return success ? output : undefined;
}

/** The signals of one attempt. */
export interface Signaling {
  /** The transport's side of it. */
  readonly exchange: SignalExchange;
  /** Whether the peer has described itself, in any generation. */
  readonly answered: boolean;
  /** Reads a validated signal of this attempt. */
  receive(signal: Signal): void;
  /** Sends at once what would be sent at the next repeat. */
  resend(): void;
  stop(): void;
}

/** `send` may lose a signal: everything is repeated every 2 s. */
export interface SignalingOptions {
  readonly role: Role;
  readonly attempt: number;
  readonly clock: Clock;
  send(signal: Signal): void;
  iceServers(): readonly RTCIceServer[];
  /** Undefined if discovery offers no relay at this moment. */
  openRelay(): OpenRelay | undefined;
}

/** Creates the signaling of one side of one attempt. Its owner ends it with `stop`. */
export function createSignaling(options: SignalingOptions): Signaling {
  const { role, attempt, clock, send, iceServers } = options;
  const openRelay = options.openRelay();
  const mayBegin = createRateLimiter(clock, generationsOfPeer, generationsPeriodMs);
  const mayAnswer = createRateLimiter(clock, 1, answerEveryMs);
  let generation = 0;
  let sent = createPart();
  let received = createPart();
  let listener: SignalListener | undefined;
  let sentRelay: RelayDescription | undefined;
  const { promise: remoteRelay, resolve: onRemoteRelay } = Promise.withResolvers<RelayDescription>();
  let asksForRestart = false;
  let answered = false;
  let stopped = false;
  let repeatsLeft = 0;
  let undoBatch: (() => void) | undefined;
  let undoRepeat: (() => void) | undefined;

  function begin(next: number): void {
    generation = next;
    sent = createPart();
    received = createPart();
    asksForRestart = false;
    endBatch();
  }

  function endBatch(): void {
    undoBatch?.();
    undoBatch = undefined;
  }

  function sendAll(): void {
    endBatch();
    sent.passed = sent.candidates.length;
    if (sent.description)
      send({ attempt, round: generation, description: sent.description, ...listed(sent.candidates) });
    if (sentRelay) send({ attempt, round: 0, relay: sentRelay });
    if (asksForRestart) send({ attempt, round: generation + 1 });
  }

  function sendNew(): void {
    undoBatch = undefined;
    send({ attempt, round: generation, ...listed(takeNew(sent)) });
  }

  function sendAndRepeat(): void {
    sendAll();
    undoRepeat?.();
    undoRepeat = repeatsLeft-- > 0 ? clock.after(repeatEveryMs, sendAndRepeat) : undefined;
  }

  function startRepeats(): void {
    repeatsLeft = repeats;
    sendAndRepeat();
  }

  function settle(): void {
    asksForRestart = false;
    undoRepeat?.();
    undoRepeat = undefined;
  }

  /** Remembers the new parts of a signal, and passes on the parts that the transport can use. */
  function remember({ description, candidates = [] }: Signal): void {
    if (description && !received.description) {
      received.description = description;
      answered = true;
      listener?.description(description);
    }
    for (const candidate of candidates) add(received, candidate);
    passOn();
  }

  /** Sends our part again, which the peer has missed. */
  function answerMissed(): void {
    if (undoRepeat && mayAnswer()) sendAll();
  }

  function passOn(): void {
    if (!listener || !received.description) return;
    for (const candidate of takeNew(received)) listener.candidate(candidate);
  }

  return {
    get answered() {
      return answered;
    },
    receive(signal) {
      if (stopped) return;
      if (signal.relay) {
        answered = true;
        // A caller that repeats its description has missed our answer.
        if (sentRelay && role === "callee") answerMissed();
        return onRemoteRelay(signal.relay);
      }
      if (signal.round < generation) return;
      if (signal.round > generation) {
        const allowed = role === "callee" || (signal.round === generation + 1 && !signal.description);
        if (!allowed || !mayBegin()) return;
        if (role === "caller") return listener?.restart();
        begin(signal.round);
      }
      // A caller that repeats its description has missed our answer. A callee that asks for this generation has missed
      // our description.
      const missed = role === "callee" ? signal.description : !signal.description && !signal.candidates;
      remember(signal);
      if (missed) answerMissed();
    },
    resend() {
      if (undoRepeat) sendAndRepeat();
    },
    stop() {
      stopped = true;
      settle();
      endBatch();
    },
    exchange: {
      describe(description) {
        if (stopped) return;
        if (role === "caller" && sent.description) begin(generation + 1);
        sent.description = description;
        startRepeats();
      },
      candidate(candidate) {
        if (stopped || !add(sent, candidate) || !sent.description || undoBatch) return;
        // The first of a generation is often the only one needed, so it waits only for those found at the same moment.
        undoBatch = clock.after(sent.passed === 0 ? 0 : batchDelayMs, sendNew);
      },
      restart() {
        if (stopped || role === "caller") return;
        asksForRestart = true;
        startRepeats();
      },
      settled: settle,
      listen(newListener) {
        listener = newListener;
        if (received.description) listener.description(received.description);
        passOn();
      },
      iceServers,
      relay: openRelay && {
        open: openRelay,
        describe(description) {
          if (stopped) return;
          sentRelay = description;
          startRepeats();
        },
        remote: remoteRelay,
      },
    },
  };
}

/** One side's part of one generation. The first `passed` candidates have been sent, or passed on. */
interface Part {
  description: Description | undefined;
  readonly candidates: Candidate[];
  readonly keys: Set<string>;
  passed: number;
}

function createPart(): Part {
  return { description: undefined, candidates: [], keys: new Set(), passed: 0 };
}

function listed(candidates: readonly Candidate[]): Pick<Signal, "candidates"> {
  return candidates.length > 0 ? { candidates: [...candidates] } : {};
}

/** Adds a candidate unless the part has it, or is full. Returns whether it did. */
function add(part: Part, candidate: Candidate): boolean {
  const key = JSON.stringify([candidate.candidate, candidate.sdpMid, candidate.sdpMLineIndex]);
  if (part.keys.has(key) || part.keys.size === maxCandidates) return false;
  part.keys.add(key);
  part.candidates.push(candidate);
  return true;
}

function takeNew(part: Part): readonly Candidate[] {
  const from = part.passed;
  part.passed = part.candidates.length;
  return part.candidates.slice(from);
}
