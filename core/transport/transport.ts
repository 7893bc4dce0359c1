import type { BonevalueError } from "../errors.ts";
import type { OpenRelay } from "../relay-access.ts";

/**
 * *control* and *bulk* are ordered and reliable; *lossy* is unordered and never resent. The order between channels is
 * undefined.
 */
export type Channel = "control" | "bulk" | "lossy";

/** The session description of one side. Only the two transports interpret it. */
export interface Description {
  /** `offer` or `answer`. */
  readonly type: string;
  /** The session description, as WebRTC makes it (RFC 8866). */
  readonly sdp: string;
  /** The sender's proof of identity, in base64url: docs/protocol.md, "Identity". The transport neither makes nor reads it. */
  readonly proof?: string | undefined;
}

/** A possible address of one side: RTCIceCandidateInit for WebRTC. */
export interface Candidate {
  /** The candidate in the form of RFC 8839; empty at the end of the candidates. */
  readonly candidate?: string | undefined;
  /** The media section that it is for. */
  readonly sdpMid?: string | null | undefined;
  /** The index of that section. */
  readonly sdpMLineIndex?: number | null | undefined;
  /** The ICE user name of the round that it belongs to. */
  readonly usernameFragment?: string | null | undefined;
}

/** The description of one side of a relayed link, in place of an SDP: its public key for this attempt (ECDH). */
export interface RelayDescription {
  /** The name that WebCrypto has for it: `P-256`. */
  readonly algorithm: string;
  /** In WebCrypto's raw format, in base64url. */
  readonly publicKey: string;
  /** The sender's proof of identity, as in {@link Description}. */
  readonly proof?: string | undefined;
}

/** The signals of a relayed link, which are independent of the rounds. Each side describes itself once. */
export interface RelayExchange {
  /** The caller describes itself afterwards, so that discovery's offer comes before its description to the callee. */
  readonly open: OpenRelay;
  /** Sends this side's description. */
  describe(description: RelayDescription): void;
  /** The other side's description, which may never come. */
  readonly remote: Promise<RelayDescription>;
}

/** Receives the signals of the other side, each once. The description of a round comes before its candidates. */
export interface SignalListener {
  /** The offer or answer of the other side. */
  description(description: Description): void;
  /** An ICE candidate of the other side. */
  candidate(candidate: Candidate): void;
  /** Only for the caller: the callee asks for a new round. */
  restart(): void;
}

/**
 * Exchanges the signals of one attempt with the other side. Signals are repeated until `settled`, and received once.
 * After the end of the attempt the methods have no effect.
 */
export interface SignalExchange {
  /** The caller starts a round: the first, then one for each ICE restart. The callee answers the newest round. */
  describe(description: Description): void;
  /** Sends an ICE candidate to the other side. */
  candidate(candidate: Candidate): void;
  /** The callee asks for a new round, which only the caller can start. */
  restart(): void;
  /** The link works: signals are not repeated until the next round. */
  settled(): void;
  /** Sets the listener, once. It receives earlier signals then. */
  listen(listener: SignalListener): void;
  /** The current ICE servers of the discovery server. */
  iceServers(): readonly RTCIceServer[];
  /** Undefined if discovery offers no relay. */
  readonly relay?: RelayExchange | undefined;
}

/** How the bytes of a link travel: `turn` through a TURN server, `relay` through the discovery server. */
export type LinkPath = "direct" | "turn" | "relay" | "memory";

/** The listener of a link. */
export interface LinkEvents {
  /** One complete message. The listener owns the bytes. */
  message(channel: Channel, bytes: Uint8Array<ArrayBuffer>): void;
  /** `buffered` has fallen to `lowMark` or below. */
  drain(): void;
  /** Nothing arrives now; the link may recover. */
  interrupted(reason: BonevalueError): void;
  /** Messages arrive again. */
  restored(): void;
}

/** A connection to one peer with three channels. A message arrives complete or not at all. No method throws. */
export interface Link {
  /**
   * Resolves when messages can be sent. Rejects with `link-failed` and what to do, with `disconnected` if another dial may
   * succeed, with `busy` if the platform allows no further connection now, or with the reason of `closed`.
   */
  readonly opened: Promise<void>;
  /** Resolves at the end of the link with the reason given to `close`, or the reason of the loss. Never rejects. */
  readonly closed: Promise<BonevalueError | undefined>;
  /** The largest message that `send` accepts, in bytes. Known once open. */
  readonly maxMessage: number;
  /** The bytes on control and bulk that have not left this machine. */
  readonly buffered: number;
  /** `drain` is called when `buffered` falls to this. Default 0. */
  lowMark: number;
  /** Sets the listener. It receives earlier messages then. */
  listen(events: LinkEvents): void;
  /** Sends a message. The caller may reuse the bytes afterwards. `lossy` may drop the message. */
  send(channel: Channel, message: Uint8Array<ArrayBuffer>): void;
  /** Closes at once. Buffered messages may be lost. */
  close(reason?: BonevalueError): void;
  /** Why the link is not open yet and what to do, if the transport knows. */
  trouble?(): string | undefined;
  /** The kind of path and its round-trip time in ms, if the transport knows them. */
  stats?(): Promise<{
    /** `turn`: through a TURN server; `relay`: through the discovery server. */
    readonly path?: LinkPath;
    /** In ms. */
    readonly roundTrip?: number;
  }>;
}

/** The identity of the peer at the other end of a link. Known once the link is open. */
export interface LinkIdentity {
  /** Whether the peer's identity is certain. */
  readonly verified: boolean;
  /** The keys that this side's hello names. */
  readonly hello?: Uint8Array | undefined;
  /** Whether the peer's hello names the keys of this link. */
  accepts?(hello: unknown): boolean;
}

/** Whether this side is reachable by each kind of address. */
export interface Reach {
  /** Local addresses of this machine. */
  readonly host: boolean;
  /** The public address that a STUN server reports. */
  readonly srflx: boolean;
  /** An address that a TURN server relays. */
  readonly relay: boolean;
  /** The errors of STUN and TURN servers. */
  readonly errors: readonly string[];
  /** The app does not want links through the discovery server. */
  readonly declinesRelay?: boolean;
  /** The URLs of the STUN and TURN servers that were tested, if the transport uses any. */
  readonly servers?: readonly string[];
}

/** Opens links between two peers, with the three channels of docs/protocol.md. */
export interface Transport {
  /**
   * Whether its descriptions commit to the keys that encrypt the link (channel binding, RFC 5056), as WebRTC's do. Without it
   * nothing is signed and no peer is verified.
   */
  readonly channelBinding?: boolean | undefined;
  /** Called once for each attempt on both sides, first on the caller's. Never throws: `opened` rejects instead. */
  open(peer: string, role: "caller" | "callee", exchange: SignalExchange): Link;
  /** Tests by which addresses this side is reachable. Rejects with `unsupported` if links are impossible. */
  probe?(iceServers: readonly RTCIceServer[]): Promise<Reach>;
}
