import { BonevalueError } from "../errors.ts";
import { createIdMap } from "../id-map.ts";
import type { Packed, Received } from "../wire/codec.ts";
import type { AttachmentReceiver } from "../wire/deserialize.ts";
import { maxFrameOverhead } from "../wire/fragments.ts";
import { type Frame, Kind } from "../wire/frames.ts";
import { minMessageSize, type SendScheduler, type Writable } from "../wire/send-scheduler.ts";
import type { Deadlines } from "./deadlines.ts";
import { remoteError } from "./remote-error.ts";
import type { Payload } from "./streams/payload.ts";
import { createStreamGroup, type StreamGroup } from "./streams/stream-group.ts";
import type { Streams } from "./streams/streams.ts";
import { thrownError } from "./thrown-error.ts";

/** A call as it goes out, and what is told of it. */
export interface OutgoingCall {
  readonly module: string;
  readonly payload: Payload;
  /** Ms until its deadline, asked when the frame leaves; `null`: none. */
  remaining(): number | null;
  /** Its answer, whose streams `receive` makes. This or `failed` is told once, unless the call is ended before. */
  answered(value: Received, receive: AttachmentReceiver): void;
  failed(error: BonevalueError, data?: Received): void;
  /** Bytes more of its streams that the other side has read. */
  readonly acknowledged?: ((bytes: number) => void) | undefined;
  /** The call is over, and so are the last of its streams, of which there were some. */
  over?(): void;
}

/** A one-way message as it goes out, and what is told of it. */
export interface OutgoingMessage {
  readonly module: string;
  readonly payload: Payload;
  /** It cannot be sent. */
  failed(error: BonevalueError): void;
  /** The last of its streams is over, of which there were some. */
  over(): void;
}

/** A call on its way. */
export interface OngoingCall {
  /** Whether its answer is still to come, or a stream of it is open. */
  isOpen(): boolean;
  /** Gives it up, with all of its streams, before its answer or after; the other side is told. */
  end(reason: BonevalueError): void;
}

/** Our calls on one link. */
export interface Caller {
  /** How many wait for their answer. */
  readonly open: number;
  call(call: OutgoingCall): OngoingCall;
  /** Sends a request that nothing comes back for, but to its streams. */
  notify(message: OutgoingMessage): void;
  /** Reads an answer or a failure. One that nobody waits for has crossed its call's end: its streams are stopped. */
  receive(frame: Answer): void;
  /** The link is over, and with it every call. */
  end(error: BonevalueError): void;
}

/** The frames that end a call at its caller. */
export type Answer = Extract<Frame<Received>, readonly [typeof Kind.answer | typeof Kind.fail, ...unknown[]]>;

/** What a {@link Caller} needs. Times in ms. */
export interface CallerOptions {
  readonly scheduler: Pick<SendScheduler, "send" | "bulk" | "drop">;
  readonly streams: Streams;
  readonly deadlines: Deadlines;
  /** For how long the streams of an answer wait for a reader. */
  readonly idleTimeout: number;
}

/** Our calls over `scheduler`, numbered from 1. */
export function createCaller({ scheduler, streams, deadlines, idleTimeout }: CallerOptions): Caller {
  const waiting = createIdMap<Pick<OutgoingCall, "failed"> & { answered(value: Received): void }>();
  const told = new Set<StreamGroup>();
  let last = 0;

  function call(call: OutgoingCall): OngoingCall {
    const id = ++last;
    const { payload, module, remaining } = call;
    let undoUnread: (() => void) | undefined;
    let group = payload.streams.length > 0 ? createGroup().add(payload) : undefined;

    function createGroup(): StreamGroup {
      return createStreamGroup(streams, {
        sends: "invalid-request",
        receives: "invalid-response",
        acknowledged: call.acknowledged,
        emptied() {
          if (waiting.get(id)) return;
          undoUnread?.();
          call.over?.();
        },
      });
    }

    function answered(value: Received): void {
      waiting.delete(id);
      group?.stopTracking();
      call.answered(value, (kind, detail) => {
        group ??= createGroup();
        return group.receive(kind, detail);
      });
      if (group && !group.isEmpty) undoUnread = deadlines.after(idleTimeout, () => group?.cancelUnclaimed(unread()));
    }

    function failed(error: BonevalueError, data?: Received): void {
      waiting.delete(id);
      group?.end(error);
      call.failed(error, data);
    }

    waiting.add(id, { answered, failed });
    const takeBack = post(payload, group, (request) => [Kind.call, id, module, request, remaining()], failed);
    return {
      isOpen: () => waiting.get(id) !== undefined || group?.isEmpty === false,
      end(reason) {
        if (waiting.delete(id)) takeBack([Kind.cancel, id, reason.code]);
        group?.end(reason);
      },
    };
  }

  function notify({ module, payload, failed, over }: OutgoingMessage): void {
    let group: StreamGroup | undefined;
    if (payload.streams.length > 0) {
      group = createStreamGroup(streams, {
        sends: "invalid-request",
        receives: "invalid-response",
        emptied() {
          told.delete(group!);
          over();
        },
      }).add(payload);
      told.add(group);
    }
    post(payload, group, (request) => [Kind.notify, 0, module, request], failed);
  }

  /** Sends a request. What it returns takes it back: by `cancel`, where it has left. */
  function post(
    { packed }: Payload,
    group: StreamGroup | undefined,
    frame: (request: Packed) => Frame<Packed>,
    failed: (error: BonevalueError) => void,
  ): (cancel: Frame<Packed>) => void {
    const write: Writable = () => {
      try {
        return frame(group ? group.register() : streams.checkSize(packed));
      } catch (error) {
        failed(thrownError(error));
        return undefined;
      }
    };
    if (packed.hasAttachments || packed.size + maxFrameOverhead > minMessageSize) return postOnBulk(write);
    scheduler.send("control", write);
    return (cancel) => scheduler.send("control", cancel);
  }

  function postOnBulk(write: Writable): (cancel: Frame<Packed>) => void {
    const flow = {};
    let gone = false;
    scheduler.bulk(flow, write, () => {
      gone = true;
    });
    return (cancel) => (gone ? scheduler.bulk(flow, cancel) : scheduler.drop(flow));
  }

  return {
    get open() {
      return waiting.size;
    },
    call,
    notify,
    receive(frame) {
      const call = waiting.get(frame[1]);
      if (frame[0] === Kind.fail) call?.failed(remoteError(frame[2], frame[3]), frame[4]);
      else if (call) call.answered(frame[2]);
      else streams.refuse(frame[2]);
    },
    end(error) {
      for (const id of waiting.ids()) waiting.get(id)?.failed(error);
      for (const group of [...told]) group.end(error);
    },
  };
}

function unread(): BonevalueError {
  return new BonevalueError("cancelled", "Nobody read the answer's stream in time: read it, or ask for less.");
}
