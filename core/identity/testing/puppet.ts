import { RTCPeerConnection as NodePeerConnection } from "node-datachannel/polyfill";
import { onTestFinished } from "vitest";
import { type Client, createClient } from "../../client.ts";
import type { Peer } from "../../peer.ts";
import type { SignalKind } from "../../protocol/messages.ts";
import { webrtc } from "../../transport/webrtc.ts";
import type { IdentityOptions } from "../options.ts";

/** A client of the hostile server, which has any peer id that the server gives it. */
export interface Puppet {
  readonly client: Client;
  readonly id: string;
  /** Signals that the server gives it, from any peer. */
  receive(kind: SignalKind, from: string, signal: unknown): void;
}

class LocalPeerConnection extends (NodePeerConnection as unknown as typeof RTCPeerConnection) {
  constructor(configuration?: RTCConfiguration) {
    super({ ...configuration, bindAddress: "127.0.0.1" } as RTCConfiguration);
  }
}

/** Creates a client with this peer id, which sees these peers. `send` gets its signals. */
export async function createPuppet(
  id: string,
  names: readonly Pick<Peer, "id" | "name">[],
  send: (kind: SignalKind, to: string, signal: any) => void,
  identity: IdentityOptions | "off" = "off",
): Promise<Puppet> {
  const peers = names.map((peer) => ({ ...peer, profile: {} }));
  let receive!: Puppet["receive"];
  const unsupported = () => Promise.reject(new Error("A puppet has no account."));
  const client = createClient({
    identity,
    transport: webrtc({ RTCPeerConnection: LocalPeerConnection }),
    discovery: {
      open(_host, _credentials, events) {
        receive = events.signal;
        queueMicrotask(() =>
          events.online({ self: { id, username: "mallory" }, users: peers.map(({ name }) => name), peers }),
        );
        return {
          signal: send,
          invite: unsupported,
          requestToken: unsupported,
          claimToken: unsupported,
          removeUser: unsupported,
          changePassword: unsupported,
          close: async () => {},
        };
      },
    },
  });
  onTestFinished(() => client.disconnect());
  await client.connect("hostile", "mallory", "");
  return { client, id, receive: (kind, from, signal) => receive(kind, from, signal) };
}
