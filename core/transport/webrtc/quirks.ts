import type { Candidate } from "../transport.ts";

/** Where a platform's RTCPeerConnection is not as the standard says. */
export interface Quirks {
  /** A server list as its constructor takes it. */
  servers(servers: readonly RTCIceServer[]): RTCIceServer[];
  /** A candidate that it found, as others read it. */
  candidate(found: RTCIceCandidate): Candidate;
  /** The other side's description, as it should be given to it. */
  remote(sdp: string): string;
  /** The bytes of a message that has arrived; none where it was text. */
  bytes(data: unknown): Uint8Array<ArrayBuffer> | undefined;
  /** A round trip of its statistics, in ms. */
  roundTrip(reported: number): number;
  /** Whether it can restart ICE. Where it cannot, a path recovers by itself or is lost. */
  readonly restarts: boolean;
}

const standard: Quirks = {
  servers: (servers) => servers.map((server) => ({ ...server })),
  candidate: (found) => found.toJSON(),
  remote: (sdp) => sdp,
  bytes: (data) => (data instanceof ArrayBuffer ? new Uint8Array(data) : undefined),
  roundTrip: (seconds) => seconds * 1_000,
  restarts: true,
};

// As of 0.33. It offers as soon as it has a channel, which is why the callee makes its channels only when it has an
// offer, and it answers by itself.
const nodeDataChannel: Quirks = {
  // It writes name and password into the URL as they are, and reads them back decoded.
  servers: (servers) =>
    servers.map(({ username, credential, ...server }) => ({
      ...server,
      ...(username && { username: encodeURIComponent(username) }),
      ...(credential && { credential: encodeURIComponent(credential) }),
    })),
  // It hands out the whole line of the description.
  candidate(found) {
    const init = found.toJSON();
    return { ...init, candidate: init.candidate?.replace(/^a=/, "") };
  },
  // It sometimes trips over candidates inside a description, which come one by one as well. And its first DTLS message
  // is often lost on a caller that has no path yet, and comes again only after 1 s: the caller, who chooses the path,
  // had better speak first.
  remote: (sdp) =>
    sdp.replace(/^a=(candidate:.*|end-of-candidates)\r?\n/gm, "").replace("a=setup:actpass", "a=setup:active"),
  bytes: standard.bytes,
  roundTrip: (ms) => ms,
  restarts: false,
};

// As of 0.25.
const werift: Quirks = {
  ...standard,
  // It hands out what others make of a candidate by toJSON.
  candidate: (found) => found as Candidate,
  // It brings Buffers, whatever the channel's binaryType says.
  bytes: (data) => (data instanceof Uint8Array ? bytesOf(data) : undefined),
};

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** The quirks of an implementation, known by what only it has. */
export function quirksOf({ prototype }: typeof RTCPeerConnection): Quirks {
  if ("ext_maxMessageSize" in prototype) return nodeDataChannel;
  return "sctpRemotePort" in prototype ? werift : standard;
}
