import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import type { Candidate, Description, SignalExchange } from "../transport.ts";
import { describeIceError, linkFailed, noPath } from "./link-errors.ts";
import { hasPath } from "./path.ts";
import type { Quirks } from "./quirks.ts";

// The first calls have been sent by then.
const spareDelayMs = 1_000;

/** How long ICE has, in ms, before another path is tried beside it. */
export const directTimeoutMs = 4_000;

/** The exchange of descriptions and candidates for one connection. */
export interface Negotiation {
  /** Starts an ICE restart, or asks the caller for one. */
  restart(): void;
  /** Why the link is not open yet, and what to do. */
  trouble(): string | undefined;
  release(): void;
}

export interface NegotiationOptions {
  readonly pc: RTCPeerConnection;
  readonly role: "caller" | "callee";
  readonly exchange: SignalExchange;
  readonly quirks: Quirks;
  readonly clock: Clock;
  /** Creates the channels. Called once, right before the first local description, which must contain them. */
  openChannels(): void;
  /** The current servers, for a restart. */
  servers(): Promise<RTCIceServer[]>;
  /** ICE has had 4 s since the callee's answer. It finds most paths within a second. */
  onLate(): void;
  /** The negotiation failed. */
  fail(error: BonevalueError): void;
}

/**
 * Negotiates a connection. The caller offers at once; the callee answers.
 *
 * Descriptions are exchanged in rounds: the first opens the link, each later one is an ICE restart. The platform's steps
 * are asynchronous and each needs the one before, so they run in a queue. Signals may arrive at any time meanwhile; only
 * those of the newest round count: `remoteDescription` is the newest that has arrived, and a step that finds another one
 * does nothing.
 */
export function negotiate({
  pc,
  role,
  exchange,
  quirks,
  clock,
  openChannels,
  servers,
  onLate,
  fail,
}: NegotiationOptions): Negotiation {
  const candidateTypes = new Set<string>();
  const iceErrors = new Set<string>();
  let pendingCandidates: Candidate[] | undefined = [];
  // Of the current round.
  let remoteDescription: Description | undefined;
  let restarting = false;
  let rounds = 0;
  let released = false;
  let queue: Promise<void> = Promise.resolve();
  const undoDelayed: (() => void)[] = [];

  function enqueue(step: () => Promise<void>): void {
    queue = queue
      .then(() => (released ? undefined : step()))
      .catch((cause: unknown) => {
        if (!released) fail(linkFailed("The link could not be negotiated", cause));
      });
  }

  /** Creates and sends an offer, or the answer to `offer`. */
  async function describe(offer?: Description): Promise<void> {
    if (rounds++ === 0) openChannels();
    await pc.setLocalDescription();
    const { type, sdp } = pc.localDescription!;
    // The caller would take this answer for the answer to its newer offer.
    if (released || (offer && offer !== remoteDescription)) return;
    // A late answer to the last offer does not answer this one.
    if (!offer) remoteDescription = undefined;
    exchange.describe({ type, sdp });
    for (const candidate of pendingCandidates ?? []) exchange.candidate(candidate);
    pendingCandidates = undefined;
  }

  /** TURN credentials may have changed since the last round. If the new ones fail to load, the old ones stay. */
  async function renewServers(): Promise<void> {
    const iceServers = await servers().catch(() => undefined);
    if (iceServers) pc.setConfiguration({ ...pc.getConfiguration(), iceServers });
  }

  async function offerAgain(): Promise<void> {
    await renewServers();
    pc.restartIce();
    pendingCandidates = [];
    await describe();
    restarting = false;
  }

  async function accept(description: Description): Promise<void> {
    // Skips outdated offers, so a flood of offers costs one round at a time.
    if (description !== remoteDescription) return;
    const expected = role === "caller" ? "answer" : "offer";
    if (description.type !== expected || !isDataOnly(description.sdp)) {
      throw new BonevalueError("protocol", "The peer offered something other than data channels.");
    }
    if (role === "caller") undoDelayed.push(clock.after(directTimeoutMs, onLate));
    else if (rounds > 0) await renewServers();
    await pc.setRemoteDescription({ type: expected, sdp: quirks.remote(description.sdp) });
    if (role === "callee" && description === remoteDescription) await describe(description);
  }

  async function addCandidate(candidate: Candidate, round: Description | undefined): Promise<void> {
    // A candidate that this platform does not support is ignored.
    if (round === remoteDescription) await pc.addIceCandidate(candidate as RTCIceCandidateInit).catch(() => {});
  }

  /** With a path, further candidates are spares. Adding one blocks the page for 0.5 ms, so they wait for the first calls. */
  async function addOrDelay(candidate: Candidate, round: Description | undefined): Promise<void> {
    if (rounds > 1 || !hasPath(pc)) return addCandidate(candidate, round);
    undoDelayed.push(clock.after(spareDelayMs, () => enqueue(() => addCandidate(candidate, round))));
  }

  pc.onicecandidate = ({ candidate: found }) => {
    if (!found?.candidate) return;
    candidateTypes.add(/ typ (\w+)/.exec(found.candidate)?.[1] ?? "host");
    const candidate = quirks.candidate(found);
    if (pendingCandidates) pendingCandidates.push(candidate);
    else exchange.candidate(candidate);
  };
  pc.onicecandidateerror = (event) => iceErrors.add(describeIceError(event));
  exchange.listen({
    description(description) {
      if (remoteDescription && !quirks.restarts) return;
      remoteDescription = description;
      enqueue(() => accept(description));
    },
    candidate(candidate) {
      const round = remoteDescription;
      enqueue(() => addOrDelay(candidate, round));
    },
    restart,
  });
  if (role === "caller") enqueue(() => describe());

  function restart(): void {
    if (!quirks.restarts) return;
    if (role === "callee") exchange.restart();
    else if (!restarting) {
      restarting = true;
      enqueue(offerAgain);
    }
  }

  function trouble(): string | undefined {
    if (hasPath(pc)) return "There is a path, but the handshake with the peer failed. Call again.";
    if (pc.iceGatheringState !== "complete") return undefined;
    if (candidateTypes.size === 0) {
      return "This device has no usable address. Check that it is online and that WebRTC is not blocked.";
    }
    if (!candidateTypes.has("relay")) {
      const errors = [...iceErrors].join("; ");
      if (!errors) return noPath(exchange);
      const advice = "check the TURN server and its credentials, which may have expired.";
      return `Direct paths are blocked and there was no relay candidate (${errors}): ${advice}`;
    }
    return "The TURN server made no path either. Check that both sides can reach it.";
  }

  return {
    restart,
    trouble,
    release() {
      released = true;
      for (const undo of undoDelayed) undo();
      pc.onicecandidate = pc.onicecandidateerror = null;
    },
  };
}

/** Whether a description has exactly one section, for data channels. */
function isDataOnly(sdp: string): boolean {
  const sections = sdp.match(/^m=.*$/gm) ?? [];
  return sections.length === 1 && /^m=application \d+ (UDP|TCP)\/DTLS\/SCTP webrtc-datachannel\s*$/.test(sections[0]!);
}
