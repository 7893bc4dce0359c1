import { createServer } from "../../reference-server/server.ts";
import { discoveryConformance } from "./conformance.ts";
import { websocket } from "./websocket.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

discoveryConformance("websocket, with the reference server", {
  hasServer: true,
  async start() {
    const server = await createServer({ port: 0, store: ":memory:", log: silent });
    for (const username of ["ann", "bob", "cyd"]) await server.accounts.add(username, `password of ${username}`);
    return {
      host: server.url,
      discovery: () => websocket(),
      credentials: (username) => ({ username, password: `password of ${username}` }),
      trust: server.accounts.trust,
      close: server.close,
    };
  },
});
