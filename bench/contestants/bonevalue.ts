import { type Client, createClient } from "../../core/index.ts";
import { knownPeers } from "../page/known-peers.ts";
import type { Signals } from "../page/signals.ts";
import type { Contestant } from "./contestant.ts";

const caller = "0".repeat(32);
const callee = "f".repeat(32);

/** This library, its discovery replaced by the signals that all contestants use. */
export const bonevalue: Contestant = {
  async dial(signals) {
    const client = await online(signals, caller, callee);
    const peer = client.get(callee);
    return {
      call: (text) => peer.call("Echo", text).first(),
      stream: (chunks) => peer.call("Take", produce(chunks), { timeout: Number.POSITIVE_INFINITY }).first(),
      close: () => void client.disconnect(),
    };
  },
  answer(signals, sink) {
    const client = online(signals, callee, caller);
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

async function* produce(chunks: Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for (const chunk of chunks) yield chunk;
}

async function online(signals: Signals, own: string, other: string): Promise<Client> {
  const discovery = knownPeers(signals, own, [other]);
  const client = createClient({ discovery, idleTimeout: Number.POSITIVE_INFINITY });
  await client.connect("bench", own, "");
  return client;
}
