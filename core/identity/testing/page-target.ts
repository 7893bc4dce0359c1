import type { Client, ClientOptions } from "../../client.ts";
import type { Target } from "./attacks.ts";

/** The target of a client. Browsers run its source, so it uses nothing but its parameters. */
export function createTarget(client: Client, username: string, password: string, host: string): Target {
  const calls: { from: string; text: string; verified: boolean }[] = [];
  client.module("Echo", ({ request, peer, verified }) => {
    calls.push({ from: peer.name, text: request, verified });
    return request;
  });
  client.on("error", () => {});
  return {
    username,
    connect: () => client.connect(host, username, password),
    disconnect: () => client.disconnect(),
    requestToken: async (alias) => (await client.requestToken(alias)).token,
    claimToken: (alias, token) => client.claimToken(alias, token),
    async call(alias, text) {
      const target = client.get(alias);
      // The server tells who is online on its own time, also after it has accepted a token.
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 10_000);
        const stop = target.peers.subscribe((peers) => {
          if (peers.length === 0) return;
          clearTimeout(timer);
          queueMicrotask(() => stop());
          resolve();
        });
      });
      try {
        const answer = await target.call("Echo", text, { timeout: 10_000 }).first();
        const peer = target.peers.peek()[0]!;
        return { answer, verified: client.link(peer.id).peek().verified === true };
      } catch (error) {
        return { failure: String((error as AggregateError).errors?.[0] ?? error) };
      }
    },
    calls: async () => calls,
  };
}

/** The global of a test page. */
export interface TestPage {
  createClient(options: ClientOptions): Client;
  memoryKeyStore(): NonNullable<Exclude<ClientOptions["identity"], string | undefined>["keyStore"]>;
}
