import { once } from "node:events";
import { type ClientOptions, WebSocket } from "ws";
import { createBackoff } from "../../core/discovery/websocket/backoff.ts";
import { closeReasonOf } from "../../core/discovery/websocket/close-reason.ts";
import type { ServerUnderTest } from "./server-under-test.ts";
import type { TestGuest, TestUser } from "./test-users.ts";

/** A minimal client. */
export interface Client {
  /** Its peer id. The server chooses that of a guest. */
  readonly id: string;
  readonly socket: WebSocket;
  /** The online peers. Only bonevalue reports them. */
  readonly peers: ReadonlySet<string>;
  /** Sends a signal to the client of this id. */
  relay(to: string, signal: unknown): void;
  /** Called with each received signal. */
  onSignal: (signal: any) => void;
}

type ErrorFrame = Parameters<typeof closeReasonOf>[1];

type ServerProtocol = {
  url(base: string, id: string): string;
  hello(user: TestUser | TestGuest): string | undefined;
  /** Whether a frame of this type completes the sign-in. */
  isSignedIn(type: string): boolean;
  relay(from: string, to: string, signal: unknown): object;
  signal(frame: any): unknown;
};

const protocols: Record<ServerUnderTest["kind"], ServerProtocol> = {
  bonevalue: {
    url: (base) => base,
    hello: (user) => {
      const claim = "room" in user ? user : { session: user.session };
      return JSON.stringify({ type: "authenticate", data: { version: 1, ...claim } });
    },
    isSignedIn: (type) => type === "peerList",
    relay: (_, to, signal) => ({ type: "peerRequest", data: { to, signal } }),
    signal: (frame) => (frame.type === "peerRequest" ? frame.data.signal : undefined),
  },
  bare: {
    url: (base, id) => `${base}/?id=${id}`,
    hello: () => undefined,
    isSignedIn: (type) => type === "peerList",
    relay: (_, to, signal) => ({ type: "peerRequest", data: { to, signal } }),
    signal: (frame) => (frame.type === "peerRequest" ? frame.data.signal : undefined),
  },
  PeerJS: {
    url: (base, id) => `${base}&id=${id}&token=t&version=1`,
    hello: () => undefined,
    isSignedIn: (type) => type === "OPEN",
    relay: (src, dst, payload) => ({ type: "OFFER", src, dst, payload }),
    signal: (frame) => (frame.type === "OFFER" ? frame.payload : undefined),
  },
};

/** A failed sign-in. */
class ClosedError extends Error {
  /** ms to wait, beside the back-off. */
  readonly after: number;

  constructor(code: number, after: number, cause: unknown) {
    super(`closed with ${code}`, { cause });
    this.after = after;
  }
}

/** Connects and signs in. Resolves when the lists have arrived; rejects if the socket closes before. */
export function connect(
  { kind, url }: Pick<ServerUnderTest, "kind" | "url">,
  user: TestUser | TestGuest,
  options: ClientOptions = {},
): Promise<Client> {
  const dialect = protocols[kind];
  let id = "id" in user ? user.id : "";
  const socket = new WebSocket(dialect.url(url, id), { perMessageDeflate: false, ...options });
  const peers = new Set<string>();
  const client: Client = {
    get id() {
      return id;
    },
    ...{ socket, peers, onSignal: () => {} },
    relay: (to, signal) => socket.send(JSON.stringify(dialect.relay(id, to, signal))),
  };
  const hello = dialect.hello(user);
  if (hello !== undefined) socket.on("open", () => socket.send(hello));
  return new Promise((resolve, reject) => {
    let lastError: ErrorFrame | undefined;
    let cause: unknown;
    socket.on("error", (error) => {
      cause = error;
    });
    socket.on("close", (code) =>
      reject(new ClosedError(code, closeReasonOf(code, lastError, socket.url).retryAfterMs, cause)),
    );
    socket.on("message", (bytes) => {
      const frame = JSON.parse(String(bytes));
      if (frame.type === "error") lastError = frame.data;
      if (frame.type === "setPeerId") id = frame.data.peerId;
      if (frame.type === "peerList") for (const { id } of frame.data) peers.add(id);
      if (frame.type === "peerConnect") peers.add(frame.data.id);
      if (frame.type === "peerDisconnect") peers.delete(frame.data);
      if (frame.type === "ping") socket.send('{"type":"pong","data":{}}');
      if (dialect.isSignedIn(frame.type)) resolve(client);
      const signal = dialect.signal(frame);
      if (signal !== undefined) client.onSignal(signal);
    });
  });
}

// The limit of a page for one attempt.
const handshakeTimeoutMs = 10_000;

/** Reconnects like a page: with the library's back-off, and after the delay that the server requests. */
export async function reconnect(target: Pick<ServerUnderTest, "kind" | "url">, user: TestUser): Promise<Client> {
  const backoff = createBackoff(Math.random);
  for (let after = 0; ; ) {
    await sleep(after + backoff.next());
    try {
      return await connect(target, user, { handshakeTimeout: handshakeTimeoutMs });
    } catch (error) {
      if (!(error instanceof ClosedError)) throw error;
      after = error.after;
    }
  }
}

/** Runs `work` for each item, at most `atOnce` at a time. */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  async function worker(): Promise<void> {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at]!);
  }
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

/** Checks `holds` every 10 ms until it is true. Resolves to the time in ms; rejects after `limit` ms. */
export async function waitUntil(holds: () => boolean, limit = 60_000): Promise<number> {
  const began = performance.now();
  while (!holds()) {
    if (performance.now() - began > limit) throw new Error(`not within ${limit} ms`);
    await sleep(10);
  }
  return performance.now() - began;
}

/** Resolves after `span` ms. */
export function sleep(span: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, span));
}

/** Terminates clients. Resolves when all sockets are closed. */
export async function closeAll(clients: readonly Client[]): Promise<void> {
  const open = clients.filter(({ socket }) => socket.readyState !== WebSocket.CLOSED);
  const gone = open.map(({ socket }) => once(socket, "close"));
  for (const { socket } of open) socket.terminate();
  await Promise.all(gone);
}
