import { type Server as HttpServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { Server as TlsServer } from "node:tls";
import { type WebSocket, WebSocketServer } from "ws";
import { closeCode } from "../core/protocol/close-code.ts";
import { maxRelayMessageBytes } from "../core/protocol/limits.ts";
import { type AddressList, clientAddress, isLoopback, networkOf } from "./address.ts";
import { closeSocket } from "./close-socket.ts";
import { type Connection, type ConnectionParts, openConnection } from "./connection.ts";
import { encode } from "./frames.ts";
import { interceptRequests } from "./intercept-requests.ts";
import { pathOf, sendText, withoutSlash } from "./pages.ts";
import { relayPath } from "./relay/relay.ts";
import type { ClientOrigin } from "./sign-in.ts";

/** Dependencies of the upgrade handler and of all its connections. */
export interface UpgradeHandlerParts extends ConnectionParts {
  readonly http: HttpServer;
  /** The WebSocket's path on `http`. */
  readonly path: string;
  /** Whether the page that sends a request may connect. */
  readonly isOriginAllowed: (request: IncomingMessage) => boolean;
  readonly proxies: AddressList;
  readonly insecure: boolean;
  /** Answers HTTP requests to pages of this server; false for other requests. */
  readonly pages: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** The WebSocket endpoint. */
export interface UpgradeHandler {
  /** The URL of the endpoint; undefined while `http` does not listen on a port. */
  url(): string | undefined;
  /** The number of open sockets. */
  sockets(): number;
  readonly closing: boolean;
  /** Accepts no more sockets, asks all clients to reconnect elsewhere within `limits.drain` ms, then closes. */
  close(): Promise<void>;
}

/** One path for WebSockets. */
interface Endpoint {
  readonly sockets: WebSocketServer;
  /** The frame that explains why a socket above the limit is closed. */
  readonly rejection: string | undefined;
  /** Calls `onSettled` once, when the client has authenticated or the socket has closed. */
  readonly open: (socket: WebSocket, client: ClientOrigin, onSettled: () => void) => Connection;
}

// Without a drain time, clients reconnect at random moments within this time, in ms.
const reconnectSpread = 5_000;
// The length to which a foreign Origin header is cut in the log.
const maxLoggedOrigin = 256;

/** Installs the endpoint on an http server; opens a connection for every accepted socket. */
export function createUpgradeHandler(parts: UpgradeHandlerParts): UpgradeHandler {
  const { http, limits, clock } = parts;
  const connections = new Set<Connection>();
  const perNetwork = new Map<string, number>();
  let unauthenticated = 0;
  let closing = false;
  let logAgainAt = 0;
  let onEmpty = () => {};

  const path = withoutSlash(parts.path);
  const { relay } = parts;
  const endpoints = new Map<string, Endpoint>([
    [
      path,
      {
        sockets: createSockets(Math.max(limits.firstFrameSize, limits.frameSize)),
        rejection: encode("error", { code: "rate-limited", message: "Too many connections from this address." }),
        open: (socket, client, onSettled) => openConnection(socket, client, parts, onSettled),
      },
    ],
  ]);
  if (relay)
    endpoints.set(`${path}/${relayPath}`, {
      sockets: createSockets(maxRelayMessageBytes),
      rejection: undefined,
      open: (socket, _, onSettled) => relay.accept(socket, onSettled),
    });

  function onUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): boolean {
    const endpoint = endpoints.get(withoutSlash(pathOf(request) ?? "*"));
    if (endpoint === undefined) return false;
    const status = rejectionStatus(request);
    if (status === undefined) accept(endpoint, request, stream, head);
    else rejectUpgrade(stream, status);
    return true;
  }

  function accept(endpoint: Endpoint, request: IncomingMessage, stream: Duplex, head: Buffer): void {
    endpoint.sockets.handleUpgrade(request, stream, head, (socket) => {
      const address = clientAddress(request, parts.proxies);
      const network = networkOf(address);
      const present = perNetwork.get(network) ?? 0;
      if (present >= limits.socketsPerAddress) return rejectSocket(socket, endpoint);
      perNetwork.set(network, present + 1);
      unauthenticated++;
      const client = { address, origin: request.headers.origin };
      const connection = endpoint.open(socket, client, () => unauthenticated--);
      connections.add(connection);
      socket.on("close", () => removeConnection(connection, network));
    });
  }

  function rejectSocket(socket: WebSocket, { rejection }: Endpoint): void {
    socket.on("error", () => {});
    if (rejection !== undefined) socket.send(rejection);
    closeSocket(socket, clock, closeCode.overloaded);
  }

  function rejectionStatus(request: IncomingMessage): number | undefined {
    if (closing || unauthenticated >= limits.socketsBeforeSignIn) return 503;
    if (isPrivate(request) && parts.isOriginAllowed(request)) return undefined;
    logRejection(request);
    return 403;
  }

  /** Logs at most one line a second. */
  function logRejection(request: IncomingMessage): void {
    if (clock.now() < logAgainAt) return;
    logAgainAt = clock.now() + 1_000;
    const why = isPrivate(request)
      ? "rejected a page: `origins` (--origin) does not list its origin"
      : "rejected an unencrypted socket from another machine: use TLS, or set `insecure` (--insecure) behind a proxy";
    const origin = request.headers.origin?.slice(0, maxLoggedOrigin);
    parts.log.warn({ origin, address: clientAddress(request, parts.proxies) }, why);
  }

  /** Whether the connection is encrypted, or stays on this machine. */
  function isPrivate({ socket }: IncomingMessage): boolean {
    // A Unix domain socket has no remote address.
    const isLocal = typeof http.address() === "string" || isLoopback(socket.remoteAddress ?? "");
    return parts.insecure || "encrypted" in socket || isLocal;
  }

  function removeConnection(connection: Connection, network: string): void {
    connections.delete(connection);
    const left = (perNetwork.get(network) ?? 1) - 1;
    if (left > 0) perNetwork.set(network, left);
    else perNetwork.delete(network);
    if (connections.size === 0) onEmpty();
  }

  function untilEmpty(): Promise<void> {
    return connections.size === 0 ? Promise.resolve() : new Promise((resolve) => (onEmpty = resolve));
  }

  // Without a listener of the app, nothing else would answer a request to another path.
  function answerOther(_: IncomingMessage, response: ServerResponse): void {
    if (http.listenerCount("request") === 1)
      sendText(response, 426, "This is a bonevalue discovery server: connect with a WebSocket.");
  }
  function rejectOther(_: IncomingMessage, stream: Duplex): void {
    if (http.listenerCount("upgrade") === 1) rejectUpgrade(stream, 404);
  }

  // Node emits `upgrade` only if it has a listener.
  http.on("request", answerOther).on("upgrade", rejectOther);
  const stopIntercepting = interceptRequests(http, { request: parts.pages, upgrade: onUpgrade });
  return {
    sockets: () => connections.size,
    get closing() {
      return closing;
    },
    url() {
      const listening = http.address();
      if (listening === null || typeof listening === "string") return undefined;
      const { address, port, family } = listening;
      const host = family === "IPv6" ? `[${address}]` : address;
      const scheme = http instanceof TlsServer ? "wss" : "ws";
      return `${scheme}://${host}:${port}${path}`;
    },
    async close() {
      closing = true;
      for (const connection of connections)
        connection.suggestReconnect(Math.random() * (limits.drain || reconnectSpread));
      if (limits.drain > 0)
        await Promise.race([untilEmpty(), new Promise<void>((resolve) => clock.after(limits.drain, resolve))]);
      for (const connection of connections) connection.close();
      await untilEmpty();
      stopIntercepting();
      http.off("request", answerOther).off("upgrade", rejectOther);
      for (const { sockets } of endpoints.values()) sockets.close();
    },
  };
}

function createSockets(maxPayload: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload,
    maxFragments: 64,
    maxBufferedChunks: 1_024,
  });
}

function rejectUpgrade(stream: Duplex, status: number): void {
  stream.on("error", () => {});
  // Destroyed too: a client that never ends its side would keep the socket open.
  stream.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    stream.destroy(),
  );
}
