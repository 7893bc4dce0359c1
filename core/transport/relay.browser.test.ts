import type { RelaySocket } from "../relay-access.ts";
import { BlockedPeerConnection, createFakeRelay } from "./relay/testing/fake-relay.ts";
import { transportConformance } from "./testing/conformance.ts";
import { webrtc } from "./webrtc.ts";

const open = new Set<RelaySocket>();

transportConformance({
  name: "the relay in a browser",
  transport: webrtc({ RTCPeerConnection: BlockedPeerConnection }),
  createRelay: () => createFakeRelay({ open }),
  held: () => open.size,
});
