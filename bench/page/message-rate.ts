import { type Client, createClient } from "../../core/index.ts";
import { knownPeers } from "./known-peers.ts";
import { createSignalChannel } from "./signal-channel.ts";

/** One-way messages at a fixed rate, with the build of the library that the bench has bundled with this file. */
export interface MessageRate {
  /** Offers the module that counts messages. */
  receive(room: string, own: string, sender: string): Promise<void>;
  /** Signs in, and resolves when the receiver has answered once. */
  open(room: string, own: string, receiver: string): Promise<void>;
  /** Sends `rate` messages a second for `time` ms. Resolves to how many. */
  send(rate: number, time: number): Promise<number>;
  /** How many messages have arrived. */
  received(): number;
}

let client: Client;
let to = "";
let count = 0;

async function signIn(room: string, own: string, other: string): Promise<void> {
  const discovery = knownPeers(createSignalChannel(room), own, [other]);
  client = createClient({ discovery, idleTimeout: Number.POSITIVE_INFINITY });
  await client.connect("bench", own, "");
}

globalThis.ratePage = {
  async receive(room, own, sender) {
    await signIn(room, own, sender);
    client.module("Echo", ({ request }) => request);
    client.module("Position", () => {
      count++;
    });
  },
  async open(room, own, receiver) {
    to = receiver;
    await signIn(room, own, receiver);
    await client.get(receiver).call("Echo", "Hello").first();
  },
  async send(rate, time) {
    const target = client.get(to);
    const begun = performance.now();
    let sent = 0;
    for (;;) {
      const passed = performance.now() - begun;
      if (passed >= time) return sent;
      for (; sent < (passed * rate) / 1_000; sent++) {
        target.message("Position", { number: sent, x: Math.random(), y: Math.random() });
      }
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
  },
  received: () => count,
};

declare global {
  var ratePage: MessageRate;
}
