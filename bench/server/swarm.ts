import { once } from "node:events";
import { type ClientOptions, WebSocket } from "ws";
import { createBackoff } from "../../core/discovery/websocket/backoff.ts";
import { closeReasonOf } from "../../core/discovery/websocket/close-reason.ts";
import type { Person } from "./crowd.ts";
import type { Target } from "./target.ts";

/** One client, with as little of its own as possible. */
export interface Client {
  readonly id: string;
  readonly socket: WebSocket;
  /** Who is online, as far as it was told. Only bonevalue tells. */
  readonly peers: ReadonlySet<string>;
  /** Sends a signal to the client of this id. */
  relay(to: string, signal: unknown): void;
  /** Called with each signal that comes. */
  onSignal: (signal: any) => void;
}

type Said = Parameters<typeof closeReasonOf>[1];

type Dialect = {
  url(base: string, person: Person): string;
  hello(person: Person): string | undefined;
  /** The frame after which one is in. */
  isIn(type: string): boolean;
  relay(from: string, to: string, signal: unknown): object;
  signal(frame: any): unknown;
};

const dialects: Record<Target["kind"], Dialect> = {
  bonevalue: {
    url: (base) => base,
    hello: ({ session }) => JSON.stringify({ type: "authenticate", data: { version: 1, session } }),
    isIn: (type) => type === "peerList",
    relay: (_, to, signal) => ({ type: "peerRequest", data: { to, signal } }),
    signal: (frame) => (frame.type === "peerRequest" ? frame.data.signal : undefined),
  },
  bare: {
    url: (base, { id }) => `${base}/?id=${id}`,
    hello: () => undefined,
    isIn: (type) => type === "peerList",
    relay: (_, to, signal) => ({ type: "peerRequest", data: { to, signal } }),
    signal: (frame) => (frame.type === "peerRequest" ? frame.data.signal : undefined),
  },
  PeerJS: {
    url: (base, { id }) => `${base}&id=${id}&token=t&version=1`,
    hello: () => undefined,
    isIn: (type) => type === "OPEN",
    relay: (src, dst, payload) => ({ type: "OFFER", src, dst, payload }),
    signal: (frame) => (frame.type === "OFFER" ? frame.payload : undefined),
  },
};

/** Why an attempt to sign in came to nothing. */
class Ended extends Error {
  /** ms to wait, beside the back-off. */
  readonly after: number;

  constructor(code: number, after: number, cause: unknown) {
    super(`closed with ${code}`, { cause });
    this.after = after;
  }
}

/** Connects and signs in; resolves once the lists are there, rejects when the socket ends before. */
export function connect(
  { kind, url }: Pick<Target, "kind" | "url">,
  person: Person,
  options: ClientOptions = {},
): Promise<Client> {
  const dialect = dialects[kind];
  const socket = new WebSocket(dialect.url(url, person), { perMessageDeflate: false, ...options });
  const peers = new Set<string>();
  const client: Client = {
    ...{ id: person.id, socket, peers, onSignal: () => {} },
    relay: (to, signal) => socket.send(JSON.stringify(dialect.relay(person.id, to, signal))),
  };
  const hello = dialect.hello(person);
  if (hello !== undefined) socket.on("open", () => socket.send(hello));
  return new Promise((resolve, reject) => {
    let said: Said | undefined;
    let cause: unknown;
    socket.on("error", (error) => {
      cause = error;
    });
    socket.on("close", (code) => reject(new Ended(code, closeReasonOf(code, said, socket.url).retryAfterMs, cause)));
    socket.on("message", (bytes) => {
      const frame = JSON.parse(String(bytes));
      if (frame.type === "error") said = frame.data;
      if (frame.type === "peerList") for (const { id } of frame.data) peers.add(id);
      if (frame.type === "peerConnect") peers.add(frame.data.id);
      if (frame.type === "peerDisconnect") peers.delete(frame.data);
      if (frame.type === "ping") socket.send('{"type":"pong","data":{}}');
      if (dialect.isIn(frame.type)) resolve(client);
      const signal = dialect.signal(frame);
      if (signal !== undefined) client.onSignal(signal);
    });
  });
}

// A page gives up an attempt that takes longer.
const patience = 10_000;

/** Connects as a page does that comes back: by the library's own back-off, and when the server says so. */
export async function comeBack(target: Pick<Target, "kind" | "url">, person: Person): Promise<Client> {
  const backoff = createBackoff(Math.random);
  for (let after = 0; ; ) {
    await passed(after + backoff.next());
    try {
      return await connect(target, person, { handshakeTimeout: patience });
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
      after = error.after;
    }
  }
}

/** Does `work` for each item, at most `atOnce` at a time. */
export async function each<Item, Result>(
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

/** Resolves when `holds` does, which is asked every 10 ms; rejects after `limit` ms. Resolves to the ms that it took. */
export async function until(holds: () => boolean, limit = 60_000): Promise<number> {
  const began = performance.now();
  while (!holds()) {
    if (performance.now() - began > limit) throw new Error(`not within ${limit} ms`);
    await passed(10);
  }
  return performance.now() - began;
}

/** A span of time, in ms. */
export function passed(span: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, span));
}

/** Closes clients at once; resolves when all have gone. */
export async function dismiss(clients: readonly Client[]): Promise<void> {
  const open = clients.filter(({ socket }) => socket.readyState !== WebSocket.CLOSED);
  const gone = open.map(({ socket }) => once(socket, "close"));
  for (const { socket } of open) socket.terminate();
  await Promise.all(gone);
}
