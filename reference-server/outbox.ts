import type { WebSocket } from "ws";
import { closeCode } from "../core/protocol/close-code.ts";
import type { Clock } from "./clock.ts";
import { closeSocket } from "./close-socket.ts";

/** The outgoing side of one socket. */
export interface Outbox {
  /** Sends a frame. Closes the socket with 1013 when too many bytes are unsent. Sends nothing after a close. */
  send(frame: string): void;
  /** Sends the first frames; their size does not count towards the limit of unsent bytes. */
  sendFirst(frames: readonly string[]): void;
  /** Closes the socket; terminates it if the client does not answer the close frame. */
  close(code: number): void;
  /** The bytes that the socket has not sent yet. */
  readonly unsentBytes: number;
  /** The code of our close frame, if one was sent. */
  readonly closedWith: number | undefined;
}

/** Creates the outbox of a socket on which at most `maxUnsentBytes` may be unsent. */
export function createOutbox(socket: WebSocket, maxUnsentBytes: number, clock: Clock): Outbox {
  let closedWith: number | undefined;
  // The unsent size of the first frames, until everything has been sent once.
  let firstFramesBytes = 0;

  function deliver(frame: string): void {
    if (closedWith === undefined && socket.readyState === socket.OPEN) socket.send(frame);
  }

  function close(code: number): void {
    if (closedWith !== undefined) return;
    closedWith = code;
    closeSocket(socket, clock, code);
  }

  return {
    send(frame) {
      if (socket.bufferedAmount === 0) firstFramesBytes = 0;
      deliver(frame);
      if (socket.bufferedAmount > maxUnsentBytes + firstFramesBytes) close(closeCode.overloaded);
    },
    sendFirst(frames) {
      for (const frame of frames) deliver(frame);
      firstFramesBytes = socket.bufferedAmount;
    },
    close,
    get unsentBytes() {
      return socket.bufferedAmount;
    },
    get closedWith() {
      return closedWith;
    },
  };
}
