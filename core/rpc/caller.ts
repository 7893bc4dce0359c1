import { BonevalueError, isErrorCode } from "../errors.ts";
import type { Packed, Received } from "../wire/codec.ts";
import { type Frame, Kind } from "../wire/frames.ts";

/** What ends a call at its caller. Told at most once. */
export interface CallEvents {
  answered(value: Received): void;
  failed(error: BonevalueError, data?: Received): void;
}

/** A call as it goes out. */
export interface OutgoingCall extends CallEvents {
  readonly module: string;
  readonly request: Packed;
  /** Ms until its deadline, asked when the frame leaves; `null`: none. */
  remaining(): number | null;
}

/** Our calls on one link. */
export interface Caller {
  /** How many wait for their answer. */
  readonly open: number;
  /** Sends a call. Its undo tells the far side why, and nothing more is heard of it. */
  call(call: OutgoingCall): (code: string) => void;
  /** Reads an answer or a failure; one that nobody waits for has crossed its call's end, and is dropped. */
  receive(frame: Answer): void;
  /** The link is over, and with it every call. */
  end(error: BonevalueError): void;
}

/** The frames that end a call at its caller. */
export type Answer = Extract<Frame<Received>, readonly [typeof Kind.answer | typeof Kind.fail, ...unknown[]]>;

/** How frames leave: written when the channel takes them. */
export type Send = (write: () => Frame<Packed>) => void;

/** Our calls over `send`, numbered from 1. */
export function createCaller(send: Send): Caller {
  const waiting = new Map<number, CallEvents>();
  let last = 0;
  return {
    get open() {
      return waiting.size;
    },
    call(call) {
      const id = ++last;
      waiting.set(id, call);
      send(() => [Kind.call, id, call.module, call.request, call.remaining()]);
      return (code) => {
        if (waiting.delete(id)) send(() => [Kind.cancel, id, code]);
      };
    },
    receive(frame) {
      const call = waiting.get(frame[1]);
      if (!call) return;
      waiting.delete(frame[1]);
      if (frame[0] === Kind.answer) call.answered(frame[2]);
      else call.failed(remoteError(frame[2], frame[3]), frame[4]);
    },
    end(error) {
      const lost = [...waiting.values()];
      waiting.clear();
      for (const call of lost) call.failed(error);
    },
  };
}

/** An error that crossed the wire. A code that a newer peer made reads as `handler-failed`. */
export function remoteError(code: string, message: string, data?: unknown): BonevalueError {
  return new BonevalueError(isErrorCode(code) ? code : "handler-failed", message, { data });
}
