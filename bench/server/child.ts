import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PeerServer } from "peer";
import { WebSocketServer } from "ws";
import { createServer, type ServerOptions } from "../../reference-server/server.ts";

/** Which server runs in the child: ours, the least that relays, or PeerJS's. */
export type Kind = "bonevalue" | "bare" | "PeerJS";

/** What the parent asks. */
export type Ask =
  | { readonly ask: "memory" }
  | { readonly ask: "start"; readonly kind: Kind; readonly options: ServerOptions };

/** Bytes. `used` is what lives in the heap and beside it, after a collection. */
export interface Memory {
  readonly resident: number;
  readonly used: number;
}

const quiet = { debug() {}, info() {}, warn: console.error, error: console.error };

const start: Record<Kind, (options: ServerOptions) => Promise<string>> = {
  bonevalue: async (options) => (await createServer({ port: 0, log: quiet, ...options })).url,
  bare: () =>
    new Promise((resolve) => {
      const http = createHttpServer();
      relayOn(new WebSocketServer({ server: http, perMessageDeflate: false }));
      http.listen(0, "127.0.0.1", () => resolve(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`));
    }),
  PeerJS: () =>
    new Promise((resolve) => {
      PeerServer({ port: 0, host: "127.0.0.1", path: "/", concurrent_limit: 100_000 }, (http) => {
        resolve(`ws://127.0.0.1:${(http.address() as AddressInfo).port}/peerjs?key=peerjs`);
      });
    }),
};

/** The least that a relay can be: who is there, by the name in the URL; no checks. */
function relayOn(server: WebSocketServer): void {
  const sockets = new Map<string, import("ws").WebSocket>();
  server.on("connection", (socket, request) => {
    const id = new URL(request.url ?? "/", "http://host").searchParams.get("id") ?? "";
    sockets.set(id, socket);
    socket.on("close", () => sockets.delete(id));
    socket.on("message", (bytes) => {
      const { type, data } = JSON.parse(String(bytes));
      sockets.get(data.to)?.send(JSON.stringify({ type, data: { from: id, signal: data.signal } }));
    });
    socket.send('{"type":"peerList","data":[]}');
  });
}

function memory(): Memory {
  // The first only finds what the second can free.
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, used: heapUsed + external };
}

process.on("message", async (ask: Ask) => {
  process.send!(ask.ask === "memory" ? memory() : await start[ask.kind](ask.options));
});
process.on("disconnect", () => process.exit());
