import { once } from "node:events";
import { type ClientOptions, WebSocket } from "ws";

/** A received frame. */
export interface Received {
  readonly type: string;
  readonly data?: any;
  readonly id?: number;
  readonly lost?: boolean;
}

/** A client that sends only the frames of the test. */
export interface TestClient {
  readonly socket: WebSocket;
  /** Every frame, in order of arrival. */
  readonly received: readonly Received[];
  send(type: string, data?: unknown, id?: number): void;
  /** Resolves to the next unread frame, of this type if given; earlier frames count as read. Rejects when the socket closes first. */
  next(type?: string): Promise<Received>;
  /** Sends a request; resolves to its answer or its error. */
  request(type: string, data?: unknown): Promise<Received>;
  /** Resolves when everything that the server sent before has arrived. */
  settled(): Promise<void>;
  /** The code with which the socket closed. */
  readonly closed: Promise<number>;
  /** Breaks the connection without `bye`. */
  break(): Promise<void>;
}

/** Opens a socket to the server; resolves once it is open, rejects with the HTTP status when it is refused. */
export async function openClient(url: string, options: ClientOptions = {}): Promise<TestClient> {
  const socket = new WebSocket(url, options);
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  let read = 0;
  let lastId = 0;
  let code: number | undefined;

  const wake = () => {
    for (const look of waiting) look();
  };
  const closed = new Promise<number>((resolve) =>
    socket.on("close", (closeCode) => {
      code = closeCode;
      resolve(closeCode);
      wake();
    }),
  );
  socket.on("message", (bytes) => {
    received.push(JSON.parse(String(bytes)));
    wake();
  });
  socket.on("error", () => {});
  await Promise.race([
    once(socket, "open"),
    once(socket, "unexpected-response").then(([, response]) => {
      socket.terminate();
      throw new Error(`HTTP ${response.statusCode}`);
    }),
  ]);

  /** Resolves to the index of a frame, now or once it comes. */
  function found(matches: (frame: Received) => boolean, what: string, from: () => number): Promise<number> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const at = received.findIndex((frame, index) => index >= from() && matches(frame));
        if (at < 0 && code === undefined) return;
        waiting.delete(look);
        if (at >= 0) resolve(at);
        else reject(new Error(`closed with ${code} before ${what}; came: ${JSON.stringify(received)}`));
      };
      waiting.add(look);
      look();
    });
  }

  function send(type: string, data?: unknown, id?: number): void {
    socket.send(JSON.stringify({ type, data, id }));
  }

  return {
    socket,
    received,
    send,
    async next(type) {
      const at = await found(
        (frame) => type === undefined || frame.type === type,
        type ?? "a frame",
        () => read,
      );
      read = at + 1;
      return received[at]!;
    },
    async request(type, data) {
      const id = ++lastId;
      send(type, data, id);
      const at = await found(
        (frame) => frame.id === id,
        `the answer to ${type}`,
        () => 0,
      );
      return received[at]!;
    },
    async settled() {
      const from = received.length;
      send("ping", {});
      await found(
        (frame) => frame.type === "pong",
        "pong",
        () => from,
      );
    },
    closed,
    async break() {
      socket.terminate();
      await closed;
    },
  };
}
