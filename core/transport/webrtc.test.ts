import { RTCPeerConnection as NodePeerConnection } from "node-datachannel/polyfill";
import { transportConformance } from "./conformance.ts";
import { webrtc } from "./webrtc.ts";

const open = new Set<RTCPeerConnection>();

/** Stays on this machine, and is counted until it is closed. */
class LocalPeerConnection extends (NodePeerConnection as unknown as typeof RTCPeerConnection) {
  constructor(configuration?: RTCConfiguration) {
    super({ ...configuration, bindAddress: "127.0.0.1" } as RTCConfiguration);
    open.add(this);
  }

  override close(): void {
    super.close();
    open.delete(this);
  }
}

transportConformance({
  name: "WebRTC in Node",
  transport: webrtc({ RTCPeerConnection: LocalPeerConnection }),
  held: () => open.size,
});
