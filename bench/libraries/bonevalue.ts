import { type Client, createClient, type Link, type Transport, webrtc } from "../../core/index.ts";
import { knownPeers } from "../page/known-peers.ts";
import type { SignalChannel } from "../page/signal-channel.ts";
import type { Library } from "./library.ts";

const caller = "0".repeat(32);
const callee = "f".repeat(32);

/** This library. Its discovery is replaced by the signal channel that all libraries use. */
export const bonevalue: Library = over(webrtc);

/**
 * This library with its initial high-water mark of 64 KiB and half a message. The mark grows when a link runs empty, so this
 * transport never reports an empty buffer.
 */
export const bonevalueAtInitialMark: Library = over(() => {
  const transport = webrtc();
  return { ...transport, open: (...args) => neverEmpty(transport.open(...args)) };
});

function over(transport: () => Transport): Library {
  return {
    async dial(signals) {
      const client = await online(signals, transport(), caller, callee);
      const peer = client.get(callee);
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
      const client = online(signals, transport(), callee, caller);
      client.then(({ module, get }) => {
        const peer = get(caller);
        module("Echo", ({ request }) => request);
        module("Ping", ({ request }) => peer.message("Pong", request));
        module("Take", async ({ request }) => {
          for await (const chunk of request) await onChunk(chunk);
          return "taken";
        });
      });
      return async () => (await client).disconnect();
    },
  };
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

async function online(signals: SignalChannel, transport: Transport, own: string, other: string): Promise<Client> {
  const discovery = knownPeers(signals, own, [other]);
  const client = createClient({ discovery, transport, idleTimeout: Number.POSITIVE_INFINITY });
  await client.connect("bench", own, "");
  return client;
}
