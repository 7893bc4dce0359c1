import { RTCPeerConnection } from "node-datachannel/polyfill";
import { webrtc } from "../../core/index.ts";
import { exposeMethods } from "../../tools/child-methods.ts";
import { createRoomPeers } from "../page/room-peers.ts";

/** Stays on this machine, as the pages do. */
class LocalPeerConnection extends RTCPeerConnection {
  constructor(configuration?: RTCConfiguration) {
    super({ ...configuration, bindAddress: "127.0.0.1" } as ConstructorParameters<typeof RTCPeerConnection>[0]);
  }
}

exposeMethods({
  ...createRoomPeers(
    webrtc({ RTCPeerConnection: LocalPeerConnection as unknown as typeof globalThis.RTCPeerConnection }),
  ),
});
