import type { BonevalueServer, ServerOptions } from "../reference-server/server.ts";
import { exposeMethods } from "./child-methods.ts";

// Logs warnings and errors, but not every sign-in.
const log = { ...console, debug() {}, info() {} };

let server: BonevalueServer | undefined;

exposeMethods({
  async start(options: ServerOptions) {
    const { createServer } = await import("../reference-server/server.ts");
    server = await createServer({ port: 0, store: ":memory:", log, ...options });
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
