import { RTCPeerConnection } from "node-datachannel/polyfill";
import { obey } from "../../../tools/orders.ts";
import { createClient } from "../../client.ts";
import { webrtc } from "../webrtc.ts";
import { createNatPeer } from "./peer.ts";

const transport = webrtc({ RTCPeerConnection: RTCPeerConnection as unknown as typeof globalThis.RTCPeerConnection });

obey({ ...createNatPeer(createClient({ transport })) });
