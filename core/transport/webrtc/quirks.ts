import type { Candidate } from "../transport.ts";

/** The deviations of an RTCPeerConnection from the standard. */
export interface Quirks {
  /** The server list for its constructor. */
  servers(servers: readonly RTCIceServer[]): RTCIceServer[];
  /** The standard form of a local candidate. */
  candidate(found: RTCIceCandidate): Candidate;
  /** The remote description that it accepts. */
  remote(sdp: string): string;
  /** The bytes of a message; undefined for text. */
  bytes(data: unknown): Uint8Array<ArrayBuffer> | undefined;
  /** A round-trip time of its statistics, in ms. */
  roundTrip(reported: number): number;
  /** Whether it supports ICE restarts. Without them, a path recovers by itself or is lost. */
  readonly restarts: boolean;
}

/** An RTCPeerConnection that follows the standard, as in browsers. */
export const standard: Quirks = {
  servers: (servers) => servers.map((server) => ({ ...server })),
  candidate: (found) => found.toJSON(),
  remote: (sdp) => sdp,
  // The channels ask for ArrayBuffers, which may be of another realm.
  bytes: (data) => (typeof data === "string" ? undefined : new Uint8Array(data as ArrayBuffer)),
  roundTrip: (seconds) => seconds * 1_000,
  restarts: true,
};

/** Returns the quirks of an implementation. Those of Node implementations are loaded when they are needed. */
export function quirksOf(Implementation: typeof RTCPeerConnection): Quirks | Promise<Quirks> {
  const { prototype } = Implementation;
  if (!("ext_maxMessageSize" in prototype || "sctpRemotePort" in prototype)) return standard;
  return import("./node-quirks.ts").then(({ nodeQuirksOf }) => nodeQuirksOf(Implementation, standard));
}
