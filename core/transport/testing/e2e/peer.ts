import type { Client } from "../../../client.ts";

/** A client somewhere else, whose ways out are looked at. Whatever is said to it and by it fits into JSON. */
export interface RemotePeer {
  /** Signs in; its id. */
  connect(host: string, username: string, password: string): Promise<string>;
  /** What `to` echoes and which path the link took, or why it could not be reached. */
  call(to: string, text: string): Promise<{ readonly reply: unknown; readonly path: unknown } | Failure>;
  /**
   * Reads a stream of `chunks` chunks from `to`, who yields one every 10 ms. What came in all, and the longest time
   * without a chunk, in ms, or why it broke.
   */
  flow(to: string, chunks: number): Promise<{ readonly chunks: number; readonly gap: number } | Failure>;
  /** How many chunks the last {@link flow} has brought so far. */
  flown(): Promise<number>;
  /** Whether a TURN server gives it a place now. */
  relay(): Promise<boolean | undefined>;
  disconnect(): Promise<void>;
}

/** Why something did not succeed. */
export interface Failure {
  readonly failure: string;
}

/** Makes the peer of a client. Its source is sent to browsers as it is: nothing but `client` comes from outside. */
export function createRemotePeer(client: Client): RemotePeer {
  let flown = 0;
  client.module("Echo", ({ request }) => request);
  client.module("Flow", async function* ({ request }) {
    for (let chunk = 0; chunk < request; chunk++) {
      yield new Uint8Array(8_192);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });

  function pathTo(peer: string): Promise<unknown> {
    return new Promise((resolve) => {
      const undo = client.link(peer).subscribe(({ status, path }) => {
        // A link that closes before it is measured has none.
        if (status === "open" && path === undefined) return;
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
    async flow(to, chunks) {
      flown = 0;
      let gap = 0;
      let last = performance.now();
      try {
        for await (const _ of await client.get({ peer: to }).call("Flow", chunks).first()) {
          const now = performance.now();
          if (flown++ > 0) gap = Math.max(gap, now - last);
          last = now;
        }
        return { chunks: flown, gap: Math.round(gap) };
      } catch (error) {
        return { failure: String(error) };
      }
    },
    flown: async () => flown,
    relay: async () => (await client.diagnose()).relay,
    disconnect: () => client.disconnect(),
  };
}
