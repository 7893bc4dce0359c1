import type { Client } from "../../../client.ts";

/** A client in another process or browser. Arguments and results are JSON. */
export interface RemotePeer {
  /** Signs in. Returns its id. */
  connect(host: string, username: string, password: string): Promise<string>;
  /** Calls Echo at a peer, once it is online. Returns the reply and the path of the link, or the failure. */
  call(to: string, text: string): Promise<{ readonly reply: unknown; readonly path: unknown } | Failure>;
  /** Requests a token for the user who gets the name `alias`. */
  requestToken(alias: string): Promise<string>;
  claimToken(alias: string, token: string): Promise<void>;
  /** Whether the link to `to` is open, and its peer verified. */
  verified(to: string): Promise<boolean | undefined>;
  /** The diagnosis, as text. */
  diagnose(): Promise<string>;
  /**
   * Reads a stream of `chunks` chunks from `to`, one every 10 ms, once it is online. Returns the number of chunks and the longest
   * gap between two of them in ms, or the failure.
   */
  flow(to: string, chunks: number): Promise<{ readonly chunks: number; readonly gap: number } | Failure>;
  /** The number of chunks that the last {@link flow} has read so far. */
  flown(): Promise<number>;
  /** Whether a TURN server relays for it now. */
  relay(): Promise<boolean | undefined>;
  disconnect(): Promise<void>;
}

/** The error of a failed call, as text. */
export interface Failure {
  readonly failure: string;
}

/** Creates the peer of a client. Browsers run its source, so it uses nothing but `client` from outside. */
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

  function isOnline(peer: string): Promise<void> {
    return new Promise((resolve) => {
      const undo = client.peers.subscribe((peers) => {
        if (!peers.some(({ id }) => id === peer)) return;
        resolve();
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
      await isOnline(to);
      try {
        const reply = await client.get({ peer: to }).call("Echo", text).first();
        return { reply, path: await pathTo(to) };
      } catch (error) {
        return { failure: String(error) };
      }
    },
    requestToken: async (alias) => (await client.requestToken(alias)).token,
    claimToken: (alias, token) => client.claimToken(alias, token),
    verified: async (to) => client.link(to).value.verified,
    diagnose: async () => String(await client.diagnose()),
    async flow(to, chunks) {
      await isOnline(to);
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
