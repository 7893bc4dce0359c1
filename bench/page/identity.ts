import { type Client, createClient, type IdentityPolicy } from "../../core/index.ts";
import { callRate } from "./call-rate.ts";
import { knownPeers } from "./known-peers.ts";
import { createSignalChannel } from "./signal-channel.ts";

/** What one round measures. Times in ms. */
export interface Sample {
  /** From a call on a peer without a link to its reply. */
  readonly firstCall: number;
  /** Replies a second. */
  readonly calls: number;
  /** The descriptions that both sides have sent for the link. */
  readonly descriptions: number;
}

/** One of two pages that call each other, with or without identity. */
export interface IdentityBench {
  enter(policy: IdentityPolicy, own: string, other: string): Promise<void>;
  /** Dials, calls, and waits until the link has closed. */
  measure(): Promise<Sample>;
}

const text = "x".repeat(100);
const concurrency = 256;
const duration = 250;

/** Creates the functions of one page. */
export function createIdentityBench(): IdentityBench {
  let client: Client;
  let peer = "";
  let descriptions = 0;

  return {
    async enter(policy, own, other) {
      peer = other;
      const channel = createSignalChannel(`identity ${policy}`);
      const count = (message: any) => {
        if (message.signal.description) descriptions++;
        return message;
      };
      const signals = {
        ...channel,
        send: (message: unknown) => channel.send(count(message)),
        listen: (listener: (message: any) => void) => channel.listen((message) => listener(count(message))),
      };
      // The link closes as soon as nothing uses it.
      client = createClient({ identity: policy, discovery: knownPeers(signals, own, [other]), idleTimeout: 0 });
      client.module("Echo", ({ request }) => request);
      await client.connect("bench", own, "");
    },
    async measure() {
      const call = () => client.get(peer).call("Echo", text).first();
      descriptions = 0;
      const begun = performance.now();
      await call();
      const firstCall = performance.now() - begun;
      const sent = descriptions;
      await untilClosed();
      const calls = await callRate(call, concurrency, duration);
      await untilClosed();
      return { firstCall, calls, descriptions: sent };
    },
  };

  function untilClosed(): Promise<void> {
    return new Promise((resolve) => {
      const stop = client.link(peer).subscribe(({ status }) => {
        if (status !== "idle") return;
        queueMicrotask(() => stop());
        resolve();
      });
    });
  }
}
