import { type BonevalueError, createClient, webrtc } from "bonevalue";
import { RTCPeerConnection } from "node-datachannel/polyfill";
import type { Account } from "./accounts.ts";
import { answerTo, Echo } from "./echo.ts";

/** A peer without a page: it greets whoever comes online and answers whoever asks. */
export interface NodePeer {
  /** Resolves with its first reply, rejects with the first failure. */
  readonly heard: Promise<void>;
  /** Signs out. */
  close(): Promise<void>;
}

/** Signs in at `server`; resolves when it is online. `say` is told each line of its conversation. */
export async function startNodePeer(
  server: string,
  { username, password }: Account,
  say: (line: string) => void,
): Promise<NodePeer> {
  const { promise: heard, resolve, reject } = Promise.withResolvers<void>();
  const client = createClient({ transport: webrtc({ RTCPeerConnection }) });

  client.module(Echo, ({ request }) => {
    const text = answerTo(request.text);
    say(`Routing data: ${text}`);
    return { text, by: `Node ${process.versions.node}` };
  });
  client.on("peerconnect", (peer) => {
    client.get(peer.id).message(Echo, { text: "Friday" }, false, (response) => {
      say(`Received: ${response.text}`);
      resolve();
    });
  });
  client.on("error", (error: BonevalueError) => {
    say(`${error.code}: ${error.message}`);
    reject(error);
  });
  heard.catch(() => {});

  await client.connect(server, username, password);
  return { heard, close: client.disconnect };
}
