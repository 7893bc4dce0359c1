import type { WebSocket } from "ws";
import type { Clock } from "./clock.ts";
import { createTokenBucket } from "./token-bucket.ts";

/** The incoming side of one socket. */
export interface Inbox {
  /** When the last frame was read, in ms since 1970. */
  lastHeard(): number;
  /** Call when the socket has closed: drops the unread frames. */
  stop(): void;
}

/**
 * Handles frames one at a time, at most `frameRate` a second after a burst of `frameBurst`. Meanwhile the socket is paused, so
 * that further frames wait in the network and not in memory. WebSocket pings and pongs count as frames.
 */
export function createInbox(
  socket: WebSocket,
  clock: Clock,
  { frameRate, frameBurst }: { readonly frameRate: number; readonly frameBurst: number },
  handle: (bytes: Buffer, binary: boolean) => Promise<void> | undefined,
): Inbox {
  const bucket = createTokenBucket(frameRate, frameBurst, clock.now());
  // Frames that had already been received when the socket was paused.
  const pending: Task[] = [];
  let working = false;
  let stopWaiting = () => {};
  let lastHeard = clock.now();

  async function run(first: Task): Promise<void> {
    working = true;
    for (let task: Task | undefined = first; task; task = pending.shift()) {
      const wait = bucket.take(clock.now());
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

  function enqueue(task: Task): void {
    if (working) {
      pending.push(task);
      socket.pause();
    } else {
      run(task);
    }
  }

  socket.on("message", (bytes: Buffer, binary: boolean) => enqueue(() => handle(bytes, binary)));
  socket.on("ping", (bytes) => enqueue(() => socket.pong(bytes)));
  socket.on("pong", () => enqueue(() => {}));
  return {
    // While the socket is paused, silence means nothing.
    lastHeard: () => (working ? clock.now() : lastHeard),
    stop() {
      pending.length = 0;
      stopWaiting();
    },
  };
}

/** Handles one frame. If it returns a promise, the next frame waits for it. */
type Task = () => unknown;
