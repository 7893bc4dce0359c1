import type { WebSocket } from "ws";
import { closeCode } from "../core/protocol/close-code.ts";
import type { Clock } from "./clock.ts";

/** What goes out on one socket. */
export interface Outbox {
  /** Sends a frame; a socket on which too much waits is closed with 1013. Nothing is sent after a close. */
  send(frame: string): void;
  /** Sends frames that may wait for as long as they need, beyond what else may wait. */
  sendFirst(frames: readonly string[]): void;
  /** Closes, and cuts a client that does not answer. */
  close(code: number): void;
  /** The code with which we have closed, if we have. */
  readonly closedWith: number | undefined;
  /** The socket has gone. */
  stop(): void;
}

// From our close frame to its answer, in ms. A client that does not read does not answer either.
const patience = 800;

/** `unsent`: how many bytes may wait. */
export function createOutbox(socket: WebSocket, unsent: number, clock: Clock): Outbox {
  let closedWith: number | undefined;
  let stopWaiting = () => {};
  // Bytes of the first frames, as long as they are on their way.
  let first = 0;

  function deliver(frame: string): void {
    if (closedWith === undefined && socket.readyState === socket.OPEN) socket.send(frame);
  }

  function close(code: number): void {
    if (closedWith !== undefined) return;
    closedWith = code;
    socket.close(code);
    stopWaiting = clock.after(patience, () => socket.terminate());
  }

  return {
    send(frame) {
      if (socket.bufferedAmount === 0) first = 0;
      deliver(frame);
      if (socket.bufferedAmount > unsent + first) close(closeCode.overloaded);
    },
    sendFirst(frames) {
      for (const frame of frames) deliver(frame);
      first = socket.bufferedAmount;
    },
    close,
    get closedWith() {
      return closedWith;
    },
    stop: () => stopWaiting(),
  };
}
