import type { WebSocket } from "ws";
import type { Clock } from "./clock.ts";
import { createPace } from "./pace.ts";

/** What comes in on one socket. */
export interface Inbox {
  /** When the client last said something, as far as we listened. ms since 1970. */
  lastHeard(): number;
}

/**
 * Hands frames over one at a time, and no faster than `rate` a second after a `burst`. Meanwhile the socket is not read:
 * what follows waits in the network, not here.
 */
export function createInbox(
  socket: WebSocket,
  clock: Clock,
  { frameRate, frameBurst }: { readonly frameRate: number; readonly frameBurst: number },
  handle: (bytes: Buffer, binary: boolean) => Promise<void> | undefined,
): Inbox {
  const pace = createPace(frameRate, frameBurst, clock.now());
  // Frames of the piece of the network's stream that had been read when we paused.
  const rest: (readonly [Buffer, boolean])[] = [];
  let working = false;
  let lastHeard = clock.now();

  async function work(first: readonly [Buffer, boolean]): Promise<void> {
    working = true;
    for (let frame: typeof first | undefined = first; frame; frame = rest.shift()) {
      const wait = pace.take(clock.now());
      if (wait > 0) {
        socket.pause();
        await new Promise<void>((resolve) => clock.after(wait, resolve));
      }
      const pending = handle(...frame);
      if (pending) await pending;
    }
    working = false;
    lastHeard = clock.now();
    socket.resume();
  }

  socket.on("message", (bytes: Buffer, binary: boolean) => {
    lastHeard = clock.now();
    if (working) {
      rest.push([bytes, binary]);
      socket.pause();
    } else {
      work([bytes, binary]);
    }
  });
  // While we do not read, silence means nothing.
  return { lastHeard: () => (working ? clock.now() : lastHeard) };
}
