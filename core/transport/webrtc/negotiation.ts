import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import type { Candidate, Description, SignalExchange } from "../transport.ts";
import { describeIceError } from "./ice-error.ts";
import { linkFailed } from "./link-failed.ts";
import { hasPath } from "./path.ts";
import type { Quirks } from "./quirks.ts";

// By then the first calls have gone out.
const spareDelayMs = 1_000;

/** The exchange of descriptions and candidates for one connection. */
export interface Negotiation {
  /** Begins a new round, or asks the caller for one. */
  restart(): void;
  /** Why there is no link yet, and what to do. */
  trouble(): string | undefined;
  release(): void;
}

/** What {@link negotiate} needs. */
export interface NegotiationOptions {
  readonly pc: RTCPeerConnection;
  readonly role: "caller" | "callee";
  readonly exchange: SignalExchange;
  readonly quirks: Quirks;
  readonly clock: Clock;
  /** Makes the channels; called once, right before our first description, which must speak of them. */
  openChannels(): void;
  /** The servers of this moment, for a new round. */
  servers(): Promise<RTCIceServer[]>;
  /** It cannot go on. */
  fail(error: BonevalueError): void;
}

/** Begins to negotiate: the caller offers at once, the callee answers what it hears. */
export function negotiate({
  pc,
  role,
  exchange,
  quirks,
  clock,
  openChannels,
  servers,
  fail,
}: NegotiationOptions): Negotiation {
  const candidateTypes = new Set<string>();
  const iceErrors = new Set<string>();
  let pendingCandidates: Candidate[] | undefined = [];
  // What the present round has heard of the other side.
  let remoteDescription: Description | undefined;
  let restarting = false;
  let rounds = 0;
  let released = false;
  let queue: Promise<void> = Promise.resolve();
  const undoDelayed: (() => void)[] = [];

  /** The platform's steps are asynchronous, and each needs the one before to be done. */
  function enqueue(step: () => Promise<void>): void {
    queue = queue
      .then(() => (released ? undefined : step()))
      .catch((cause: unknown) => {
        if (!released) fail(linkFailed("The two sides could not agree on a link", cause));
      });
  }

  /** Offers, or answers `offer`. */
  async function describe(offer?: Description): Promise<void> {
    if (rounds++ === 0) openChannels();
    await pc.setLocalDescription();
    const { type, sdp } = pc.localDescription!;
    // Of a newer offer that has come meanwhile this answer would be taken for that one's.
    if (released || (offer && offer !== remoteDescription)) return;
    // What answers our last offer does not answer this one.
    if (!offer) remoteDescription = undefined;
    exchange.describe({ type, sdp });
    for (const candidate of pendingCandidates ?? []) exchange.candidate(candidate);
    pendingCandidates = undefined;
  }

  /** A relay's credentials may have been renewed since the last round. Where they cannot be had, as offline, the last stay. */
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
    // Whoever floods us with rounds costs us one at a time.
    if (description !== remoteDescription) return;
    const expected = role === "caller" ? "answer" : "offer";
    if (description.type !== expected || !isDataOnly(description.sdp)) {
      throw new BonevalueError("protocol", "The peer described something else than data channels.");
    }
    if (rounds > 0 && role === "callee") await renewServers();
    await pc.setRemoteDescription({ type: expected, sdp: quirks.remote(description.sdp) });
    if (role === "callee" && description === remoteDescription) await describe(description);
  }

  async function addCandidate(candidate: Candidate, about: Description | undefined): Promise<void> {
    // One of a kind that this platform does not know harms nobody.
    if (about === remoteDescription) await pc.addIceCandidate(candidate as RTCIceCandidateInit).catch(() => {});
  }

  /** Once there is a path, another one is a spare: to add it stops the page for half a millisecond, while the first calls wait. */
  async function addOrDelay(candidate: Candidate, about: Description | undefined): Promise<void> {
    if (rounds > 1 || !hasPath(pc)) return addCandidate(candidate, about);
    undoDelayed.push(clock.after(spareDelayMs, () => enqueue(() => addCandidate(candidate, about))));
  }

  pc.onicecandidate = ({ candidate: found }) => {
    if (!found?.candidate) return;
    candidateTypes.add(/ typ (\w+)/.exec(found.candidate)?.[1] ?? "host");
    const candidate = quirks.candidate(found);
    if (pendingCandidates) pendingCandidates.push(candidate);
    else exchange.candidate(candidate);
  };
  pc.onicecandidateerror = (event) => iceErrors.add(describeIceError(event));
  exchange.hear({
    description(description) {
      if (remoteDescription && !quirks.restarts) return;
      remoteDescription = description;
      enqueue(() => accept(description));
    },
    candidate(candidate) {
      const about = remoteDescription;
      enqueue(() => addOrDelay(candidate, about));
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

  return {
    restart,
    trouble: () => diagnoseFailure(pc, candidateTypes, iceErrors),
    release() {
      released = true;
      for (const undo of undoDelayed) undo();
      pc.onicecandidate = pc.onicecandidateerror = null;
    },
  };
}

/** Whether a description offers one section, of data channels, and nothing else. */
function isDataOnly(sdp: string): boolean {
  const sections = sdp.match(/^m=.*$/gm) ?? [];
  return sections.length === 1 && /^m=application \d+ (UDP|TCP)\/DTLS\/SCTP webrtc-datachannel\s*$/.test(sections[0]!);
}

function diagnoseFailure(
  pc: RTCPeerConnection,
  kinds: ReadonlySet<string>,
  refusals: ReadonlySet<string>,
): string | undefined {
  if (hasPath(pc)) return "There is a path, but no handshake with the peer. Dial it again.";
  if (pc.iceGatheringState !== "complete") return undefined;
  if (kinds.size === 0) {
    return "This side found no address at which it can be reached: check that it is online and that WebRTC is not blocked.";
  }
  if (!kinds.has("relay")) {
    const said = [...refusals].join("; ");
    const advice = said
      ? ` (${said}): check the TURN server and its credentials, which may have expired.`
      : ": configure a TURN server in iceServers.";
    return `Direct paths are blocked and there was no relay candidate${advice}`;
  }
  return "Not even a relay made a path: check that both sides can reach the TURN server.";
}
