import {
  type Client,
  type ClientOptions,
  createClient,
  type Discovery,
  type DiscoveryEvents,
  type PeerId,
} from "../../core/index.ts";
import { createMemoryNetwork } from "../../core/transport/memory.ts";

/** A signed-in client that sees many peers of one user. None of these peers ever answers. */
export interface ManyPeers {
  readonly client: Client;
  readonly ids: readonly PeerId[];
  /** Brings one more peer online. */
  addPeer(id: PeerId): void;
  /** Changes the mood in a peer's profile. */
  setMood(id: PeerId, mood: unknown): void;
}

/** Signs in to a network where `bob` has `size` peers. */
export async function joinManyPeers(size: number, options: ClientOptions = {}): Promise<ManyPeers> {
  const ids = Array.from({ length: size }, (_, index) => `peer-${index}`);
  const never = async (): Promise<never> => new Promise(() => {});
  let discoveryEvents: DiscoveryEvents | undefined;
  const discovery: Discovery = {
    open(_host, _credentials, events) {
      discoveryEvents = events;
      queueMicrotask(() =>
        events.online({
          self: { id: "ann-1", username: "ann" },
          users: ["bob"],
          peers: ids.map((id) => ({ id, name: "bob" })),
        }),
      );
      return {
        signal() {},
        invite: never,
        requestToken: never,
        claimToken: never,
        removeUser: never,
        changePassword: never,
        close: async () => {},
      };
    },
  };
  const client = createClient({ ...options, discovery, transport: createMemoryNetwork().transport });
  await client.connect("test", "ann", "");
  return {
    client,
    ids,
    addPeer: (id) => discoveryEvents?.peerConnect({ id, name: "bob" }),
    setMood: (id, mood) => discoveryEvents?.peerUpdate(id, { mood }),
  };
}
