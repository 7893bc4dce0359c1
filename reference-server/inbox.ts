import type { WebSocket } from "ws";
import type { Clock } from "./clock.ts";
import { createTokenBucket } from "./token-bucket.ts";

/** What comes in on one socket. */
export interface Inbox {
  /** When the client last said something, as far as we listened. ms since 1970. */
  lastHeard(): number;
  /** The socket has gone: what it said and nobody has read is forgotten. */
  stop(): void;
}

/**
 * Hands frames over one at a time, and no faster than `rate` a second after a `burst`. Meanwhile the socket is not read:
 * what follows waits in the network, not here. A WebSocket's own pings and pongs are frames like any other.
 */
export function createInbox(
  socket: WebSocket,
  clock: Clock,
  { frameRate, frameBurst }: { readonly frameRate: number; readonly frameBurst: number },
  handle: (bytes: Buffer, binary: boolean) => Promise<void> | undefined,
): Inbox {
  const pace = createTokenBucket(frameRate, frameBurst, clock.now());
  // Frames of the piece of the network's stream that had been read when we paused.
  const rest: Task[] = [];
  let working = false;
  let stopWaiting = () => {};
  let lastHeard = clock.now();

  async function work(first: Task): Promise<void> {
    working = true;
    for (let task: Task | undefined = first; task; task = rest.shift()) {
      const wait = pace.take(clock.now());
      if (wait > 0) {
        socket.pause();
        await new Promise<void>((resolve) => {
          stopWaiting = clock.after(wait, resolve);
        });
      }
      const pending = task();
      if (pending) await pending;
    }
    working = false;
    lastHeard = clock.now();
    socket.resume();
  }

  function take(task: Task): void {
    if (working) {
      rest.push(task);
      socket.pause();
    } else {
      work(task);
    }
  }

  socket.on("message", (bytes: Buffer, binary: boolean) => take(() => handle(bytes, binary)));
  socket.on("ping", (bytes) => take(() => socket.pong(bytes)));
  socket.on("pong", () => take(() => {}));
  return {
    // While we do not read, silence means nothing.
    lastHeard: () => (working ? clock.now() : lastHeard),
    stop() {
      rest.length = 0;
      stopWaiting();
    },
  };
}

/** What is to be done with one frame; the next waits for its promise, if it gives one. */
type Task = () => unknown;
