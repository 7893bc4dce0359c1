import type { BonevalueServer, ServerOptions } from "../reference-server/server.ts";
import { obey } from "./orders.ts";

// A test's output has no room for what a server does every day.
const quiet = { ...console, debug() {}, info() {} };

let server: BonevalueServer | undefined;

obey({
  async start(options: ServerOptions) {
    const { createServer } = await import("../reference-server/server.ts");
    server = await createServer({ port: 0, store: ":memory:", log: quiet, ...options });
    return { url: server.url };
  },
  add: (username: string, password: string) => server!.accounts.add(username, password),
  remove: (username: string) => server!.accounts.remove(username),
  trust: (a: string, aliasOfB: string, b: string, aliasOfA: string) => server!.accounts.trust(a, aliasOfB, b, aliasOfA),
  async invite(email: string) {
    const { link, expires } = await server!.accounts.invite(email);
    return { link, expires: expires.toISOString() };
  },
  stop: async () => server?.close(),
});
