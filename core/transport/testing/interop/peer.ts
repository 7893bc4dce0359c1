import type { Client } from "../../../client.ts";

/** A client that serves and calls others of its kind. Arguments and results are JSON. */
export interface InteropPeer {
  /** Signs in as a new peer. Returns its id. */
  connect(host: string, username: string, password: string): Promise<string>;
  /** Calls Echo. Returns the reply. */
  call(to: string, text: string): Promise<unknown>;
  /** Sends `size` random bytes as one stream. Returns the SHA-256 of the sent bytes, and of the bytes that `to` has read. */
  stream(to: string, size: number): Promise<{ readonly sent: string; readonly read: string }>;
  /** Calls, and cancels while the handler runs. Returns the error code of the call, and of the handler's signal. */
  cancel(to: string): Promise<{ readonly here: string; readonly there: string }>;
  disconnect(): Promise<void>;
}

/** Creates the peer of a client. Browsers run its source, so it uses nothing but `client` from outside. */
export function createInteropPeer(client: Client): InteropPeer {
  const chunkSize = 64 * 1_024;
  let working = Promise.withResolvers<void>();
  let stopped = Promise.withResolvers<string>();

  client.module("Echo", ({ request }) => request);
  client.module("Hash", async ({ request }) => {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    for await (const chunk of request) chunks.push(chunk);
    return hash(chunks);
  });
  client.module("Work", ({ signal }) => {
    working.resolve();
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        stopped.resolve(signal.reason.code);
        reject(signal.reason);
      });
    });
  });
  client.module("Working", () => working.promise.then(() => true));
  client.module("Stopped", async () => {
    const code = await stopped.promise;
    working = Promise.withResolvers();
    stopped = Promise.withResolvers();
    return code;
  });

  const ask = (to: string, module: string, request?: unknown) => client.get({ peer: to }).call(module, request).first();

  async function hash(chunks: readonly Uint8Array<ArrayBuffer>[]): Promise<string> {
    const bytes = await new Blob([...chunks]).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  return {
    async connect(host, username, password) {
      await client.disconnect();
      await client.connect(host, username, password);
      return client.getId()!;
    },
    call: (to, text) => ask(to, "Echo", text),
    async stream(to, size) {
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      async function* noise() {
        for (let left = size; left > 0; left -= chunkSize) {
          const chunk = crypto.getRandomValues(new Uint8Array(Math.min(left, chunkSize)));
          chunks.push(chunk);
          yield chunk;
        }
      }
      const read = await ask(to, "Hash", noise());
      return { sent: await hash(chunks), read };
    },
    async cancel(to) {
      const controller = new AbortController();
      const call = client.get({ peer: to }).call("Work", null, { signal: controller.signal });
      await ask(to, "Working");
      controller.abort();
      const here = await call.first().catch((error) => error.code);
      return { here, there: await ask(to, "Stopped") };
    },
    disconnect: () => client.disconnect(),
  };
}
