import { transportConformance } from "./conformance.ts";
import { webrtc } from "./webrtc.ts";

const open = new Set<RTCPeerConnection>();

class CountedPeerConnection extends RTCPeerConnection {
  constructor(configuration?: RTCConfiguration) {
    super(configuration);
    open.add(this);
  }

  override close(): void {
    super.close();
    open.delete(this);
  }
}

transportConformance({
  name: "WebRTC in Chromium",
  transport: webrtc({ RTCPeerConnection: CountedPeerConnection }),
  held: () => open.size,
});
