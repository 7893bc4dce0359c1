import type { WebSocket } from "ws";
import type { Clock } from "./clock.ts";

// The time for the answer to our close frame, in ms. A client that does not read does not answer.
const closeTimeout = 800;

/** Closes a socket; terminates it if the client does not answer the close frame. */
export function closeSocket(socket: WebSocket, clock: Clock, code: number, reason?: string): void {
  socket.close(code, reason);
  const stop = clock.after(closeTimeout, () => socket.terminate());
  socket.once("close", stop);
}
