import { type Client, createClient } from "../../core/index.ts";
import { knownPeers } from "./known-peers.ts";
import { createSignalChannel } from "./signal-channel.ts";

/** Lossy messages from one client to many. */
export interface Cursors {
  /** A client for each of `own`, all in this page, which `sender` sends to. */
  receive(room: string, sender: string, own: readonly string[]): void;
  /** Signs in, and resolves when every receiver has answered once. */
  open(room: string, own: string, receivers: readonly string[]): Promise<void>;
  /** Sends to every receiver `rate` times a second, for `time` ms. */
  send(rate: number, time: number): Promise<number>;
  /** For each receiver how many messages have come, and the number of the newest. */
  received(): readonly { readonly count: number; readonly newest: number }[];
}

/** Nobody is there yet. */
export function createCursors(): Cursors {
  const counts: { count: number; newest: number }[] = [];
  let client: Client;

  async function signIn(room: string, own: string, others: readonly string[]): Promise<Client> {
    const discovery = knownPeers(createSignalChannel(room), own, others);
    const client = createClient({ discovery, idleTimeout: Number.POSITIVE_INFINITY });
    await client.connect("bench", own, "");
    return client;
  }

  return {
    receive(room, sender, own) {
      for (const id of own) {
        const mine = { count: 0, newest: 0 };
        counts.push(mine);
        signIn(room, id, [sender]).then(({ module }) => {
          module("Echo", ({ request }) => request);
          module("Cursor", ({ request }) => {
            mine.count++;
            mine.newest = Math.max(mine.newest, request.number);
          });
        });
      }
    },
    async open(room, own, receivers) {
      client = await signIn(room, own, receivers);
      const replies = await client.get("*").call("Echo", "Hello").all();
      const failed = replies.find(({ status }) => status === "rejected");
      if (failed) throw failed.error;
    },
    async send(rate, time) {
      const everybody = client.get("*");
      const begun = performance.now();
      let number = 0;
      while (performance.now() - begun < time) {
        number++;
        everybody.message("Cursor", { number, x: Math.random(), y: Math.random() }, { lossy: true });
        const next = begun + (number * 1_000) / rate;
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
      }
      return number;
    },
    received: () => counts,
  };
}
