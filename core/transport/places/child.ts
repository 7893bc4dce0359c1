import { RTCPeerConnection } from "node-datachannel/polyfill";
import { obey } from "../../../tools/orders.ts";
import { createClient } from "../../client.ts";
import { webrtc } from "../webrtc.ts";
import { createFarPeer } from "./peer.ts";

const transport = webrtc({ RTCPeerConnection });

obey({ ...createFarPeer(createClient({ transport })) });
