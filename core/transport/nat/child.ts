import { RTCPeerConnection } from "node-datachannel/polyfill";
import type { Order } from "../../../tools/server-child.ts";
import { createClient } from "../../client.ts";
import { webrtc } from "../webrtc.ts";
import { createNatPeer, type NatPeer } from "./peer.ts";

const transport = webrtc({ RTCPeerConnection: RTCPeerConnection as unknown as typeof globalThis.RTCPeerConnection });
const peer = createNatPeer(createClient({ transport }));

process.on("message", async ({ id, method, args }: Order<keyof NatPeer>) => {
  const act = peer[method] as (...args: never[]) => Promise<unknown>;
  process.send!(
    await act(...(args as never[])).then(
      (value) => ({ id, value }),
      (error: unknown) => ({ id, error: String(error) }),
    ),
  );
});
process.on("disconnect", () => process.exit());
