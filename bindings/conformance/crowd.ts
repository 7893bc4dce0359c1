import { type Client, createClient, type Discovery, type DiscoveryEvents, type PeerId } from "../../core/index.ts";
import { createMemoryNetwork } from "../../core/transport/memory.ts";

/** Somebody who is signed in among very many peers of one user, none of whom ever answers. */
export interface Crowd {
  readonly client: Client;
  readonly ids: readonly PeerId[];
  /** One more peer comes. */
  arrive(id: PeerId): void;
}

/** Signs in among `size` peers of `bob`. */
export async function joinCrowd(size: number): Promise<Crowd> {
  const ids = Array.from({ length: size }, (_, index) => `peer-${index}`);
  const nothing = async (): Promise<never> => new Promise(() => {});
  let tell: DiscoveryEvents | undefined;
  const discovery: Discovery = {
    open(_host, _credentials, events) {
      tell = events;
      queueMicrotask(() =>
        events.online({
          self: { id: "ann-1", username: "ann" },
          users: ["bob"],
          peers: ids.map((id) => ({ id, name: "bob" })),
        }),
      );
      return {
        signal() {},
        invite: nothing,
        requestToken: nothing,
        claimToken: nothing,
        removeUser: nothing,
        changePassword: nothing,
        close: async () => {},
      };
    },
  };
  const client = createClient({ discovery, transport: createMemoryNetwork().transport });
  await client.connect("test", "ann", "");
  return { client, ids, arrive: (id) => tell?.peerConnect({ id, name: "bob" }) };
}
