import { RTCPeerConnection } from "node-datachannel/polyfill";
import { exposeMethods } from "../../../../tools/child-methods.ts";
import { createClient } from "../../../client.ts";
import { webrtc } from "../../webrtc.ts";
import { createRemotePeer } from "./peer.ts";

const transport = webrtc({ RTCPeerConnection });

exposeMethods({ ...createRemotePeer(createClient({ transport })) });
