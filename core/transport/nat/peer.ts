import type { Client } from "../../client.ts";

/** A client whose ways out are looked at. Whatever is said to it and by it fits into JSON. */
export interface NatPeer {
  /** Signs in; its id. */
  connect(host: string, username: string, password: string): Promise<string>;
  /** What `to` echoes and which path the link took, or why it could not be reached. */
  call(to: string, text: string): Promise<{ readonly reply: unknown; readonly path: unknown } | { failure: string }>;
  /** Whether a TURN server gives it a place now. */
  relay(): Promise<boolean | undefined>;
  disconnect(): Promise<void>;
}

/** Makes the peer of a client. Its source is sent to browsers as it is: nothing but `client` comes from outside. */
export function createNatPeer(client: Client): NatPeer {
  client.module("Echo", ({ request }) => request);

  function pathTo(peer: string): Promise<unknown> {
    return new Promise((resolve) => {
      const undo = client.link(peer).subscribe(({ path }) => {
        if (path === undefined) return;
        resolve(path);
        queueMicrotask(() => undo());
      });
    });
  }

  return {
    async connect(host, username, password) {
      await client.connect(host, username, password);
      return client.getId()!;
    },
    async call(to, text) {
      try {
        const reply = await client.get({ peer: to }).call("Echo", text).first();
        return { reply, path: await pathTo(to) };
      } catch (error) {
        return { failure: String(error) };
      }
    },
    relay: async () => (await client.diagnose()).relay,
    disconnect: () => client.disconnect(),
  };
}
