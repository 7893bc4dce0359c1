import { RTCPeerConnection as NodePeerConnection } from "node-datachannel/polyfill";
import { onTestFinished, vi } from "vitest";
import { type Client, type ClientOptions, createClient } from "../../client.ts";
import { webrtc } from "../../transport/webrtc.ts";
import type { KeyStore } from "../key-store.ts";
import { createMemoryStore } from "../key-store.ts";
import type { IdentityOptions } from "../options.ts";

/** Stays on this machine. */
class LocalPeerConnection extends (NodePeerConnection as unknown as typeof RTCPeerConnection) {
  constructor(configuration?: RTCConfiguration) {
    super({ ...configuration, bindAddress: "127.0.0.1" } as RTCConfiguration);
  }
}

/** A client in Node whose identity outlives it in `store`. */
export interface Device {
  readonly client: Client;
  readonly store: KeyStore;
  /** What was called here, and whether the caller was verified. */
  readonly calls: { readonly from: string; readonly text: string; readonly verified: boolean }[];
  /** The users whose identity has changed, with the new status. */
  readonly changes: string[];
}

/** Creates a client over WebRTC in Node, which stays on this machine. It disconnects with the test. */
export function createLocalClient(options: ClientOptions): Client {
  const client = createClient({ transport: webrtc({ RTCPeerConnection: LocalPeerConnection }), ...options });
  onTestFinished(() => client.disconnect());
  return client;
}

/** Creates a device over WebRTC in Node, which echoes. It disconnects with the test. */
export function createDevice(identity: IdentityOptions | "off" = {}, options: ClientOptions = {}): Device {
  const store = (identity !== "off" && identity.keyStore) || createMemoryStore();
  const client = createLocalClient({
    identity: identity === "off" ? identity : { ...identity, keyStore: store },
    ...options,
  });
  const calls: Device["calls"] = [];
  const changes: string[] = [];
  client.module("Echo", ({ request, peer, verified }) => {
    calls.push({ from: peer.name, text: request, verified });
    return request;
  });
  client.on("identitychange", (alias, { status }) => changes.push(`${alias} ${status}`));
  client.on("error", () => {});
  return { client, store, calls, changes };
}

/** Calls Echo. Returns the answer, and whether the link is verified, or the code of the failure. */
export async function echo({ client }: Device, to: string, text = "hello"): Promise<string> {
  const { peers } = client.get(to);
  await vi.waitUntil(() => peers.peek().length > 0, { timeout: 20_000, interval: 20 });
  try {
    const reply = client.get(to).call("Echo", text, { timeout: 10_000 });
    await reply.first();
    const [peer] = peers.peek();

    return client.link(peer!.id).peek().verified ? "verified" : "not verified";
  } catch (error) {
    const { errors = [error] } = error as AggregateError;
    return (errors[0] as { code?: string }).code ?? String(error);
  }
}
