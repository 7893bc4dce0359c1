import { type BonevalueError, createClient, webrtc } from "bonevalue";
import { RTCPeerConnection } from "node-datachannel/polyfill";
import type { Account } from "./accounts.ts";
import { Echo, negate } from "./echo.ts";

/** A peer in Node. It calls every peer that comes online, and answers calls. */
export interface NodePeer {
  /** Resolves when its first reply arrives. Rejects when a call fails. */
  readonly firstReply: Promise<void>;
  /** Signs out. */
  close(): Promise<void>;
}

/** Signs in to `server`; resolves when it is online. `log` receives its log lines. */
export async function startNodePeer(
  server: string,
  { username, password }: Account,
  log: (line: string) => void,
): Promise<NodePeer> {
  const { promise: firstReply, resolve, reject } = Promise.withResolvers<void>();
  const client = createClient({ transport: webrtc({ RTCPeerConnection }) });

  client.module(Echo, ({ request }) => {
    const text = negate(request.text);
    log(`Routing data: ${text}`);
    return { text, by: `Node ${process.versions.node}` };
  });
  client.on("peerconnect", (peer) => {
    client.get(peer.id).message(Echo, { text: "Friday" }, false, (response) => {
      log(`Received: ${response.text}`);
      resolve();
    });
  });
  client.on("error", (error: BonevalueError) => {
    log(`${error.code}: ${error.message}`);
    reject(error);
  });
  firstReply.catch(() => {});

  await client.connect(server, username, password);
  return { firstReply, close: client.disconnect };
}
