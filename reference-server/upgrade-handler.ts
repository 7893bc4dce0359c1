import { type Server as HttpServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { Server as TlsServer } from "node:tls";
import { type WebSocket, WebSocketServer } from "ws";
import { closeCode } from "../core/protocol/close-code.ts";
import { type AddressList, clientAddress, isLoopback, networkOf } from "./address.ts";
import { type Connection, type ConnectionParts, openConnection } from "./connection.ts";
import { encode } from "./frames.ts";
import { createOutbox } from "./outbox.ts";
import { pathOf, plain } from "./pages.ts";

/** What the door stands on, and what every connection behind it shares. */
export interface UpgradeHandlerParts extends ConnectionParts {
  readonly http: HttpServer;
  /** The WebSocket's path on `http`. */
  readonly path: string;
  /** Whether the page that a request comes from may connect. */
  readonly isOriginAllowed: (request: IncomingMessage) => boolean;
  readonly proxies: AddressList;
  readonly insecure: boolean;
  /** Answers plain requests that are ours. */
  readonly pages: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** Where sockets come in. */
export interface UpgradeHandler {
  /** Undefined while `http` listens to no port. */
  url(): string | undefined;
  /** How many sockets are open. */
  sockets(): number;
  readonly closing: boolean;
  /** Lets nobody in any more, asks all to leave within `limits.drain` ms, then closes. */
  close(): Promise<void>;
}

// Clients that are told to come back do so spread over this time, ms, where there is nowhere else to go at once.
const comeBackWithin = 5_000;
// Of what a stranger calls its origin, in the log.
const longestOrigin = 256;

/** Opens a connection for every socket that may come in. */
export function createUpgradeHandler(parts: UpgradeHandlerParts): UpgradeHandler {
  const { http, limits, clock } = parts;
  const connections = new Set<Connection>();
  const perNetwork = new Map<string, number>();
  let unsettled = 0;
  let closing = false;
  let quietUntil = 0;
  let emptied = () => {};

  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: Math.max(limits.firstFrameSize, limits.frameSize),
    maxFragments: 64,
    maxBufferedChunks: 1_024,
  });

  function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    if (pathOf(request) !== parts.path) {
      // Where nobody else listens, nobody else would ever close it.
      if (http.listenerCount("upgrade") === 1) refuse(stream, 404);
      return;
    }
    const status = refusal(request);
    if (status !== undefined) refuse(stream, status);
    else accept(request, stream, head);
  }

  function accept(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    sockets.handleUpgrade(request, stream, head, (socket) => {
      const address = clientAddress(request, parts.proxies);
      const network = networkOf(address);
      const present = perNetwork.get(network) ?? 0;
      if (present >= limits.socketsPerAddress) return turnAway(socket);
      perNetwork.set(network, present + 1);
      unsettled++;
      const connection = openConnection(socket, address, parts, () => unsettled--);
      connections.add(connection);
      socket.on("close", () => forget(connection, network));
    });
  }

  function turnAway(socket: WebSocket): void {
    const outbox = createOutbox(socket, limits.maxUnsentBytes, clock);
    socket.on("error", () => {}).on("close", outbox.stop);
    outbox.send(encode("error", { code: "rate-limited", message: "Too many connections from this address." }));
    outbox.close(closeCode.overloaded);
  }

  function refusal(request: IncomingMessage): number | undefined {
    if (closing || unsettled >= limits.socketsBeforeSignIn) return 503;
    if (isPrivate(request) && parts.isOriginAllowed(request)) return undefined;
    tellRefused(request);
    return 403;
  }

  /** At most one line a second, however many knock. */
  function tellRefused(request: IncomingMessage): void {
    if (clock.now() < quietUntil) return;
    quietUntil = clock.now() + 1_000;
    const why = isPrivate(request)
      ? "a page was refused: origins (--origin) does not name where it comes from"
      : "a socket was refused: it came in the clear from beyond this machine";
    const origin = request.headers.origin?.slice(0, longestOrigin);
    parts.log.info({ origin, address: clientAddress(request, parts.proxies) }, why);
  }

  /** Whether nobody on the way can read passwords. */
  function isPrivate({ socket }: IncomingMessage): boolean {
    return parts.insecure || "encrypted" in socket || isLoopback(socket.remoteAddress ?? "");
  }

  function forget(connection: Connection, network: string): void {
    connections.delete(connection);
    const left = (perNetwork.get(network) ?? 1) - 1;
    if (left > 0) perNetwork.set(network, left);
    else perNetwork.delete(network);
    if (connections.size === 0) emptied();
  }

  function isEmpty(): Promise<void> {
    return connections.size === 0 ? Promise.resolve() : new Promise((resolve) => (emptied = resolve));
  }

  /** What is not ours goes to the app's own listeners, as if we were not there. */
  const others = http.listeners("request") as ((request: IncomingMessage, response: ServerResponse) => void)[];
  function answer(request: IncomingMessage, response: ServerResponse): void {
    if (parts.pages(request, response)) return;
    for (const other of others) other.call(http, request, response);
    // Where nobody else listens, now or since, nobody else would ever answer.
    if (others.length === 0 && http.listenerCount("request") === 1)
      plain(response, 426, "This is a bonevalue discovery server: connect with a WebSocket.");
  }

  http.on("upgrade", upgrade);
  http.removeAllListeners("request").on("request", answer);
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
      return `${scheme}://${host}:${port}${parts.path === "/" ? "" : parts.path}`;
    },
    async close() {
      closing = true;
      for (const connection of connections) connection.hint(Math.random() * (limits.drain || comeBackWithin));
      if (limits.drain > 0)
        await Promise.race([isEmpty(), new Promise<void>((resolve) => clock.after(limits.drain, resolve))]);
      for (const connection of connections) connection.close();
      await isEmpty();
      http.off("upgrade", upgrade).off("request", answer);
      for (const other of others) http.on("request", other);
      sockets.close();
    },
  };
}

function refuse(stream: Duplex, status: number): void {
  stream.on("error", () => {});
  // Not only ended: whoever never ends its own side would stay.
  stream.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
    stream.destroy(),
  );
}
