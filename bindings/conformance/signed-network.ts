import { createMemoryDiscovery } from "../../core/discovery/memory.ts";
import { memoryKeyStore } from "../../core/identity/key-stores.ts";
import { type Client, createClient } from "../../core/index.ts";
import { createMemoryNetwork } from "../../core/transport/memory.ts";

/** A network in this process whose clients sign their connections, as over WebRTC. */
export interface SignedNetwork {
  /** Creates a client that is a device of its own. All users trust each other under their user names. */
  client(username: string): Client;
}

/** Creates a network without clients. */
export function createSignedNetwork(): SignedNetwork {
  const { open, addUser, trust } = createMemoryDiscovery();
  const transport = { ...createMemoryNetwork().transport, channelBinding: true };
  const users = new Set<string>();

  return {
    client(username) {
      if (!users.has(username)) {
        addUser(username, "");
        for (const other of users) trust(username, other, other, username);
        users.add(username);
      }
      return createClient({
        discovery: { open },
        transport,
        identity: { keyStore: memoryKeyStore() },
        moduleGrace: 0,
      });
    },
  };
}
