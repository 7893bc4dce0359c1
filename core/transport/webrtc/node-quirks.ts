import type { Candidate } from "../transport.ts";
import type { Quirks } from "./quirks.ts";

// As of 0.33. It creates an offer as soon as it has a channel, and answers on its own. Therefore the callee creates its
// channels only after the offer has arrived.
const nodeDataChannel: Omit<Quirks, "bytes"> = {
  // It puts username and credential into a URL without encoding them, and decodes them later.
  servers: (servers) =>
    servers.map(({ username, credential, ...server }) => ({
      ...server,
      ...(username && { username: encodeURIComponent(username) }),
      ...(credential && { credential: encodeURIComponent(credential) }),
    })),
  // Its candidates contain the prefix of the SDP line.
  candidate(found) {
    const init = found.toJSON();
    return { ...init, candidate: init.candidate?.replace(/^a=/, "") };
  },
  // It sometimes fails on candidates inside a description; they also arrive one by one. Its first DTLS message is often
  // lost on a caller without a path, and repeated only after 1 s, so the caller starts the handshake.
  remote: (sdp) =>
    sdp.replace(/^a=(candidate:.*|end-of-candidates)\r?\n/gm, "").replace("a=setup:actpass", "a=setup:active"),
  roundTrip: (ms) => ms,
  restarts: false,
};

// As of 0.25.
const werift: Pick<Quirks, "candidate" | "bytes"> = {
  // Its candidates have no toJSON; they are plain objects.
  candidate: (found) => found as Candidate,
  // It delivers Buffers for every binaryType.
  bytes: (data) => (ArrayBuffer.isView(data) ? bytesOf(data) : undefined),
};

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Returns `standard` with the deviations of an implementation, which is detected by properties that only it has. */
export function nodeQuirksOf({ prototype }: typeof RTCPeerConnection, standard: Quirks): Quirks {
  return { ...standard, ...("ext_maxMessageSize" in prototype ? nodeDataChannel : werift) };
}
