import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PeerServer } from "peer";
import { WebSocketServer } from "ws";
import { createServer, type ServerOptions } from "../../reference-server/server.ts";

/** The server in the child process: ours, a minimal relay, or PeerJS's. */
export type ServerKind = "bonevalue" | "bare" | "PeerJS";

/** A command of the parent process. */
export type ServerCommand =
  | { readonly ask: "memory" }
  | { readonly ask: "processorTime" }
  | { readonly ask: "start"; readonly kind: ServerKind; readonly options: ServerOptions };

/** Memory in bytes. `used` is heap and external memory after a garbage collection. */
export interface Memory {
  readonly resident: number;
  readonly used: number;
}

const quiet = { debug() {}, info() {}, warn: console.error, error: console.error };

const start: Record<ServerKind, (options: ServerOptions) => Promise<string>> = {
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

/** A minimal relay: it identifies clients by the id in the URL, and checks nothing. */
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
  // Two collections, because the first only queues finalizers.
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, used: heapUsed + external };
}

/** Processor time that this process has used, in ms. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

process.on("message", async (ask: ServerCommand) => {
  if (ask.ask === "memory") process.send!(memory());
  else if (ask.ask === "processorTime") process.send!(processorTime());
  else process.send!(await start[ask.kind](ask.options));
});
process.on("disconnect", () => process.exit());
