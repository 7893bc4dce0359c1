import { type Client, createClient, type Link, type Transport, webrtc } from "../../core/index.ts";
import { knownPeers } from "../page/known-peers.ts";
import type { Signals } from "../page/signals.ts";
import type { Contestant } from "./contestant.ts";

const caller = "0".repeat(32);
const callee = "f".repeat(32);

/** This library, its discovery replaced by the signals that all contestants use. */
export const bonevalue: Contestant = over(webrtc);

/**
 * This library with the mark that it begins with, 64 KiB and half a message, which otherwise grows while nobody calls:
 * whoever never sees a link run empty leaves it as it is.
 */
export const held: Contestant = over(() => {
  const transport = webrtc();
  return { ...transport, open: (...args) => neverEmpty(transport.open(...args)) };
});

function over(transport: () => Transport): Contestant {
  return {
    async dial(signals) {
      const client = await online(signals, transport(), caller, callee);
      const peer = client.get(callee);
      return {
        call: (text) => peer.call("Echo", text).first(),
        stream: (chunks) => peer.call("Take", produce(chunks), { timeout: Number.POSITIVE_INFINITY }).first(),
        close: () => void client.disconnect(),
      };
    },
    answer(signals, sink) {
      const client = online(signals, transport(), callee, caller);
      client.then(({ module }) => {
        module("Echo", ({ request }) => request);
        module("Take", async ({ request }) => {
          for await (const chunk of request) await sink(chunk);
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

async function online(signals: Signals, transport: Transport, own: string, other: string): Promise<Client> {
  const discovery = knownPeers(signals, own, [other]);
  const client = createClient({ discovery, transport, idleTimeout: Number.POSITIVE_INFINITY });
  await client.connect("bench", own, "");
  return client;
}
