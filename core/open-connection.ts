import { type Connection, createConnection, type LinkOptions } from "./links/connection.ts";
import { helloOf } from "./links/hello.ts";
import type { Presence } from "./presence/presence.ts";
import { servePresence } from "./presence/serve-presence.ts";
import { createRpc, type Rpc, type RpcOptions } from "./rpc/rpc.ts";

/**
 * Creates the connection on a link that has opened, with calls, messages, streams and presence. `self` is our own peer id.
 *
 * The client loads this file and everything that only it imports while it signs in.
 */
export function openConnection(
  link: LinkOptions,
  self: string,
  presence: Presence,
  rpc: Omit<RpcOptions, "presence">,
): Connection<Rpc> {
  const { limits } = rpc;
  return createConnection({
    ...link,
    limits,
    hello: helloOf(self, limits),
    serve: (connection) => createRpc(connection, { ...rpc, presence: servePresence(presence, connection) }),
  });
}
