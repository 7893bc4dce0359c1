import type { BonevalueError } from "../errors.ts";

/**
 * *control* and *bulk* are ordered and reliable; *lossy* is unordered and never resent. Nothing is promised about the
 * order between them.
 */
export type Channel = "control" | "bulk" | "lossy";

/** What one side says of itself while a link is being made. Opaque to everybody but the two transports. */
export interface Description {
  readonly type: string;
  readonly sdp: string;
}

/** A way to reach one side, found while a link is being made: RTCIceCandidateInit for WebRTC. */
export interface Candidate {
  readonly candidate?: string | undefined;
  readonly sdpMid?: string | null | undefined;
  readonly sdpMLineIndex?: number | null | undefined;
  readonly usernameFragment?: string | null | undefined;
}

/** What the other side of an attempt says, each thing once, a round's description before its candidates. */
export interface SignalListener {
  description(description: Description): void;
  candidate(candidate: Candidate): void;
  /** To the caller: the callee asks for a new round. */
  restart(): void;
}

/**
 * Carries descriptions and candidates to the other side of one attempt. What is said is repeated until `settled`, and
 * heard once however often it arrives. Verbs of an attempt that is over do nothing.
 */
export interface SignalExchange {
  /** The caller's begins a round: 0, then one for each ICE restart. The callee's answers the newest that it heard. */
  describe(description: Description): void;
  candidate(candidate: Candidate): void;
  /** The callee's way to ask for a new round, which only the caller can begin. */
  restart(): void;
  /** The link works: nothing need be repeated until the next round. */
  settled(): void;
  /** To be called once. What came before is heard then. */
  hear(listener: SignalListener): void;
  /** The servers that the discovery server names at this moment. */
  iceServers(): readonly RTCIceServer[];
}

/** What a link tells its one listener. */
export interface LinkEvents {
  /** One whole message. The bytes are the listener's to keep. */
  message(channel: Channel, bytes: Uint8Array<ArrayBuffer>): void;
  /** `buffered` has fallen to `lowMark` or below. */
  drain(): void;
  /** Nothing arrives at present; it may recover. */
  interrupted(reason: BonevalueError): void;
  restored(): void;
}

/**
 * A connection to one peer on three channels: a message arrives whole or not at all. Nothing here throws, neither
 * before the link opens nor once it has closed: `closed` tells.
 */
export interface Link {
  /**
   * Resolves when messages can be sent; rejects with `link-failed` and what to do about it, with `disconnected` where
   * another dial may do better, with `busy` if the platform has no room for another connection at present, or as
   * `closed` says.
   */
  readonly opened: Promise<void>;
  /** Resolves when it is over, with the reason: the one that we gave to `close`, or why it was lost. Never rejects. */
  readonly closed: Promise<BonevalueError | undefined>;
  /** The largest message that `send` takes, in bytes. Known once open. */
  readonly maxMessage: number;
  /** Bytes sent on control and bulk that have not left this machine. */
  readonly buffered: number;
  /** Where `drain` is told. Default 0. */
  lowMark: number;
  /** Sets the one listener. Messages that came before wait for it. */
  listen(events: LinkEvents): void;
  /** Takes a whole message, whose bytes are the caller's again when it returns. `lossy` may drop it. */
  send(channel: Channel, message: Uint8Array<ArrayBuffer>): void;
  /** At once, without ceremony: what is buffered may be lost. */
  close(reason?: BonevalueError): void;
  /** Why it is not open yet and what to do about it, as far as the transport can tell. */
  trouble?(): string | undefined;
  /** How the bytes travel and how long a round trip takes, in ms, where the transport can tell. */
  stats?(): Promise<{ readonly path?: "direct" | "turn" | "memory"; readonly roundTrip?: number }>;
}

/** At which kinds of addresses this side could be reached. */
export interface Reach {
  /** Addresses of this machine's own. */
  readonly host: boolean;
  /** What a STUN server sees of us from outside. */
  readonly srflx: boolean;
  /** Places at a TURN server. */
  readonly relay: boolean;
  /** What STUN and TURN servers refused with. */
  readonly errors: readonly string[];
}

/** Carries messages between two peers on the three channels of docs/protocol.md: whole or not at all. */
export interface Transport {
  /** Called once for each attempt, on both sides, the caller first. Never throws: a failure is `opened`'s rejection. */
  open(peer: string, role: "caller" | "callee", exchange: SignalExchange): Link;
  /** Tries out at which addresses a link could be reached. Rejects with `unsupported` where there can be none. */
  probe?(iceServers: readonly RTCIceServer[]): Promise<Reach>;
}
