import type { Client } from "../../client.ts";
import type { Peer } from "../../peer.ts";
import type { SignalKind } from "../../protocol/messages.ts";
import type { IdentityOptions } from "../options.ts";
import { createLocalClient } from "./users.ts";

/** A client of the hostile server, which has any peer id that the server gives it. */
export interface Puppet {
  readonly client: Client;
  readonly id: string;
  /** Signals that the server gives it, from any peer. */
  receive(kind: SignalKind, from: string, signal: unknown): void;
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
  const client = createLocalClient({
    identity,
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
  await client.connect("hostile", "mallory", "");
  return { client, id, receive: (kind, from, signal) => receive(kind, from, signal) };
}
