import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { exposeMethods } from "../../../tools/child-methods.ts";
import { createServer, type ServerOptions } from "../../server.ts";

// A server in a process of its own, so that a test can measure its buffers without those of the clients.
const log = { ...console, debug() {}, info() {} };
setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

exposeMethods({
  start: async (options: ServerOptions) => (await createServer({ port: 0, store: ":memory:", log, ...options })).url,
  async bufferedBytes() {
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  },
});
