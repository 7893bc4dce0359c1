import { RTCPeerConnection } from "node-datachannel/polyfill";
import { obey } from "../../../../tools/orders.ts";
import { createClient } from "../../../client.ts";
import { webrtc } from "../../webrtc.ts";
import { createRemotePeer } from "./peer.ts";

const transport = webrtc({ RTCPeerConnection });

obey({ ...createRemotePeer(createClient({ transport })) });
