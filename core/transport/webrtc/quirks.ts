import type { Candidate } from "../transport.ts";

/** Where a platform's RTCPeerConnection is not as the standard says. */
export interface Quirks {
  /** A server list as its constructor takes it. */
  servers(servers: readonly RTCIceServer[]): RTCIceServer[];
  /** A candidate that it found, as others read it. */
  candidate(found: RTCIceCandidate): Candidate;
  /** The other side's description, as it should be given to it. */
  remote(sdp: string): string;
  /** A round trip of its statistics, in ms. */
  roundTrip(reported: number): number;
  /** Whether it can restart ICE. Where it cannot, a path recovers by itself or is lost. */
  readonly restarts: boolean;
}

const standard: Quirks = {
  servers: (servers) => servers.map((server) => ({ ...server })),
  candidate: (found) => found.toJSON(),
  remote: (sdp) => sdp,
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
  roundTrip: (ms) => ms,
  restarts: false,
};

/** The quirks of an implementation, known by what only it has. */
export function quirksOf(RTCPeerConnection: typeof globalThis.RTCPeerConnection): Quirks {
  return "ext_maxMessageSize" in RTCPeerConnection.prototype ? nodeDataChannel : standard;
}
