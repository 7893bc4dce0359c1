import { once } from "node:events";
import { onTestFinished } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { until } from "../../../tools/eventually.ts";
import type { TestClient } from "../../testing/test-client.ts";

/** A relay socket that sends only what the test sends. */
export interface RelayClient {
  readonly socket: WebSocket;
  /** Every message, in order of arrival. */
  readonly received: readonly Buffer[];
  send(message: string | Uint8Array): void;
  /** Resolves to all messages as texts, once there are `count`. */
  texts(count: number): Promise<readonly string[]>;
  readonly closed: Promise<Closed>;
}

interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** What a side knows about its relay: the data of `relayResponse` and `relayOffer`. */
export interface RelayAccess {
  readonly url: string;
  readonly ticket: string;
}

/** A relay that is open for its two sides. */
export interface OpenedRelay {
  readonly caller: RelayAccess;
  readonly callee: RelayAccess & { readonly from: string };
}

type Callee = TestClient & { readonly id: string };

/** Opens a relay from one client to another, at the server of the first. */
export async function openRelay(caller: TestClient, callee: Callee): Promise<OpenedRelay> {
  const { data } = await caller.request("openRelay", { to: callee.id });
  const { data: offer } = await callee.next("relayOffer");
  return { caller: data, callee: offer };
}

/** Opens a relay socket and sends its ticket. `server`: the URL of the server for this client. */
export async function joinRelay(
  server: string,
  { url, ticket }: RelayAccess,
  options: ClientOptions = {},
): Promise<RelayClient> {
  const client = await openRelaySocket(new URL(url, `${server.replace(/\/$/, "")}/`).href, options);
  client.send(ticket);
  return client;
}

/** Opens a relay socket. Rejects with the HTTP status when it is refused. */
export async function openRelaySocket(url: string, options: ClientOptions = {}): Promise<RelayClient> {
  const socket = new WebSocket(url, options);
  onTestFinished(() => socket.terminate());
  const received: Buffer[] = [];
  socket.on("error", () => {});
  socket.on("message", (bytes: Buffer) => received.push(bytes));
  const closed = new Promise<Closed>((resolve) =>
    socket.on("close", (code, reason) => resolve({ code, reason: String(reason) })),
  );
  await Promise.race([
    once(socket, "open"),
    once(socket, "unexpected-response").then(([, response]) => {
      throw new Error(`HTTP ${response.statusCode}`);
    }),
  ]);
  return {
    socket,
    received,
    send: (message) => socket.send(message),
    async texts(count) {
      await until(() => received.length >= count, { interval: 1 });
      return received.map(String);
    },
    closed,
  };
}

/** Opens a relay between two clients of one server, and both of its sockets. */
export async function connectRelay(
  server: string,
  caller: TestClient,
  callee: Callee,
): Promise<readonly [caller: RelayClient, callee: RelayClient]> {
  const access = await openRelay(caller, callee);
  const sides = await Promise.all([joinRelay(server, access.caller), joinRelay(server, access.callee)]);
  const [ofCaller, ofCallee] = sides;
  // Each has arrived when the other one has its first message.
  ofCaller.send(new Uint8Array());
  ofCallee.send(new Uint8Array());
  await Promise.all(sides.map((side) => side.texts(1)));
  for (const { received } of sides) (received as Buffer[]).length = 0;
  return sides;
}
