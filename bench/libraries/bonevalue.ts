import { type Client, createClient, type Link, type Target, type Transport, webrtc } from "../../core/index.ts";
import { knownPeers } from "../page/known-peers.ts";
import type { SignalChannel } from "../page/signal-channel.ts";
import type { Library } from "./library.ts";
import { discoveryServer } from "./relay-pipe.ts";

/** A client that signs in, and the other page, once it has come. */
interface Session {
  readonly client: Client;
  readonly peer: Promise<Target>;
}

const caller = "0".repeat(32);
const callee = "f".repeat(32);

/** This library. Its discovery is replaced by the signal channel that all libraries use. */
export const bonevalue: Library = over(directly(webrtc));

/** This library with a discovery that offers a relay, which direct links do not use. */
export const bonevalueWithRelayOffered: Library = over(directly(webrtc, { offersRelay: true }));

/**
 * This library with its initial high-water mark of 64 KiB and half a message. The mark grows when a link runs empty, so this
 * transport never reports an empty buffer.
 */
export const bonevalueAtInitialMark: Library = over(
  directly(() => {
    const transport = webrtc();
    return { ...transport, open: (...args) => neverEmpty(transport.open(...args)) };
  }),
);

/** This library through its discovery server, because there is no direct path. */
export const bonevalueByRelay: Library = over(byRelay);

function over(start: (signals: SignalChannel, own: string, other: string) => Session): Library {
  return {
    async dial(signals) {
      const session = start(signals, caller, callee);
      const { client } = session;
      const peer = await session.peer;
      let onPong = (_: unknown) => {};
      client.module("Pong", ({ request }) => onPong(request));
      return {
        call: (value) => peer.call("Echo", value).first(),
        exchangeMessages: (text) =>
          new Promise((resolve) => {
            onPong = resolve;
            peer.message("Ping", text);
          }),
        stream: (chunks) => peer.call("Take", produce(chunks), { timeout: Number.POSITIVE_INFINITY }).first(),
        close: () => void client.disconnect(),
      };
    },
    answer(signals, onChunk) {
      const { client } = start(signals, callee, caller);
      client.module("Echo", ({ request }) => request);
      client.module("Ping", ({ request, peer }) => void client.get(peer.id).message("Pong", request));
      client.module("Take", async ({ request }) => {
        for await (const chunk of request) await onChunk(chunk);
        return "taken";
      });
      return () => void client.disconnect();
    },
  };
}

function directly(transport: () => Transport, offers = { offersRelay: false }) {
  return (signals: SignalChannel, own: string, other: string): Session => {
    const discovery = knownPeers(signals, own, [other], offers);
    const client = createClient({ discovery, transport: transport(), idleTimeout: Number.POSITIVE_INFINITY });
    return { client, peer: client.connect("bench", own, "").then(() => client.get(other)) };
  };
}

function byRelay({ room }: SignalChannel): Session {
  const transport = webrtc({ RTCPeerConnection: NoPath as never });
  const client = createClient({ transport, idleTimeout: Number.POSITIVE_INFINITY });
  const peer = new Promise<Target>((resolve) => {
    client.on("peerconnect", ({ id }) => resolve(client.get(id)));
  });
  client.connect(discoveryServer(), { room });
  return { client, peer };
}

/** Its ICE has failed at once. */
class NoPath extends EventTarget {
  iceConnectionState = "new";
  createDataChannel(): EventTarget {
    return new EventTarget();
  }
  async setLocalDescription(): Promise<void> {
    throw new Error("The bench measures links without a direct path.");
  }
  async setRemoteDescription(): Promise<void> {}
  async addIceCandidate(): Promise<void> {}
  restartIce(): void {}
  close(): void {}
}

function neverEmpty(link: Link): Link {
  return Object.create(link, {
    buffered: { get: () => link.buffered + 1 },
    lowMark: {
      get: () => link.lowMark + 1,
      set(mark: number) {
        link.lowMark = mark - 1;
      },
    },
  });
}

async function* produce(chunks: Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for (const chunk of chunks) yield chunk;
}
