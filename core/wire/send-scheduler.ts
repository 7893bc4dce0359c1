import { type Clock, microtask } from "../clock.ts";
import { createBufferTuning } from "./buffer-tuning.ts";
import { encode, encodeChunks } from "./codec.ts";
import type { Chunks } from "./concat-bytes.ts";
import { createFairQueue } from "./fair-queue.ts";
import { type Channel, type Frame, Kind, maxMessageSize } from "./frames.ts";
import { createMessageBatcher } from "./message-batcher.ts";
import type { Packed } from "./pack.ts";

// Decides what a link sends next, and when.
//
// - *control* carries small frames in order. It goes first, and may exceed bulk's high-water mark, so that calls do not
//   wait for streams. A frame that is too large for one message moves to bulk.
// - *bulk* carries everything else, in fair turns (fair-queue.ts), while less than the high-water mark is buffered
//   (buffer-tuning.ts). When the platform has drained its buffer to half of that, it is filled again.
// - Frames of one turn of the event loop share a message, since the cost of a message hardly depends on its size. Bulk
//   also waits for a message to be half full, unless the link is about to become idle.
// - A frame is encoded when its channel has space for it. So a call states the time that is left at that moment, a dropped
//   frame costs nothing, and producers are asked for their next item only as fast as the link moves.
// - Before the other side's hello is read, control carries 16 KiB in all, and bulk nothing but our hello.
// - *lossy* bypasses all queues: a frame that cannot be sent now is dropped.
//
// `pump` is the one place that sends. It may be called again from inside itself, as a platform may drain synchronously.

/** The part of a transport's `Link` that the scheduler uses. */
export interface Port {
  /** Sends a message. The caller may reuse the bytes afterwards. `lossy` may drop it. Never throws. */
  send(channel: Channel, message: Uint8Array<ArrayBuffer>): void;
  /** Bytes sent on control and bulk that have not left this machine. */
  readonly buffered: number;
  /** When `buffered` falls to this, the owner calls `drained`. */
  lowMark: number;
  /** The largest message, in bytes. */
  readonly maxMessage: number;
}

/**
 * A frame, or a function that makes it when its channel has space. The function is called once, and not for a dropped
 * frame. It may return `undefined` to send nothing. It must not throw: everything behind it would wait forever.
 */
export type Writable = Frame<Packed> | (() => Frame<Packed> | undefined);

/** The other side's limits, as its hello states them, in bytes. */
export interface RemoteLimits {
  /** Largest message: at least 16 KiB. */
  readonly message: number;
  /** Most bytes of unfinished values. */
  readonly assembly: number;
}

/** Sends the frames of one link. It loses and reorders nothing, except as documented here. */
export interface SendScheduler {
  /** Whether nothing waits. */
  readonly isEmpty: boolean;
  /**
   * Sends a frame, in order with the others of its channel. A frame on control that is larger than a message is sent on
   * bulk instead, in parts. A lossy frame is dropped before `open`, and while the link does not move.
   */
  send(channel: Channel, frame: Writable): void;
  /**
   * Sends a frame on bulk, in order within its flow: a stream, or a call with all that follows from it. Any value
   * identifies a flow. Calls `onSent` once, when the frame was sent, or so much of it that another frame fits into the
   * message with its end. That is the time to make the next frame.
   */
  bulk(flow: unknown, frame: Writable, onSent?: () => void): void;
  /** Removes the waiting frames of the flow, including a partly sent one. More frames may follow. */
  drop(flow: unknown): void;
  /** To be called once the other side's hello was read. */
  open(limits: RemoteLimits): void;
  /** To be called when the link's `buffered` has fallen to its low mark. */
  drained(): void;
  /** Removes everything and stops. With a `last` frame, sends what control may carry first, and then this frame. */
  close(last?: Frame<Packed>): void;
}

/** The environment of a scheduler. */
export interface SendSchedulerOptions {
  readonly clock: Pick<Clock, "now">;
  /** Called when nothing waits any more. May be called repeatedly. */
  readonly onEmpty?: (() => void) | undefined;
  /** Runs a task after this turn has queued its frames. Default: a microtask. */
  readonly defer?: ((task: () => void) => void) | undefined;
}

/** The smallest `message` limit that a hello may state, so that frames up to this size always fit on control. */
export const minMessageSize: number = 16 * 1_024;

// The part of the budget before the other side's hello that is reserved for the frame that says why the link ends.
const lastFrameReserve = 64;

// Eleven packets of Chromium's SCTP, 1 160 bytes each: a third of 256 calls in flight, so that both sides and the network
// work at once. Smaller messages wake each side more often, larger ones leave it idle.
const maxControlMessage = 11 * 1_160;

// How far control may exceed bulk's high-water mark.
const controlReserve = 64 * 1_024;

// A link with more than this to send can wait for a message to be filled.
const nearlyEmpty = 32 * 1_024;

// How much lossy may send while nothing else moves.
const lossyAllowance = 4_096;

// No call waits for these kinds of frames.
const notUrgent = new Set<number>([Kind.hello, Kind.credit, Kind.ack, Kind.presence]);

/** Creates the scheduler of one link. The owner closes it with the link. */
export function createSendScheduler(
  port: Port,
  { clock, onEmpty, defer = microtask }: SendSchedulerOptions,
): SendScheduler {
  let limits: RemoteLimits | undefined;
  let messageLimit = minMessageSize;
  let bytesBeforeOpen = minMessageSize - lastFrameReserve;
  let bulkHello: Frame<Packed> | undefined;
  let control: (() => Uint8Array<ArrayBuffer>)[] = [];
  // Whether control holds a frame that a call waits for.
  let isUrgent = false;
  let sentBytes = 0;
  // The bytes that the platform reported when `pump` began, plus the bytes sent since. To ask again costs as much as a frame.
  let buffered = 0;
  let isScheduled = false;
  let isPumping = false;
  let mustPumpAgain = false;
  let isClosed = false;
  let lossy = { moved: 0, allowance: lossyAllowance };

  const flows = createFairQueue(() => limits?.assembly ?? 0);
  const tuning = createBufferTuning(() => messageLimit);
  const controlBatcher = createMessageBatcher(
    () => Math.min(messageLimit, maxControlMessage),
    (message) => {
      if (isUrgent) tuning.onUrgent(clock.now());
      isUrgent = false;
      transmit("control", message);
    },
  );
  const bulkBatcher = createMessageBatcher(
    () => tuning.messageSize,
    (message) => transmit("bulk", message),
  );

  function transmit(channel: "control" | "bulk", message: Uint8Array<ArrayBuffer>): void {
    sentBytes += message.length;
    buffered += message.length;
    port.send(channel, message);
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    defer(() => {
      isScheduled = false;
      if (port.buffered === 0) tuning.onIdle();
      pump();
    });
  }

  function pump(controlMark = tuning.highWaterMark + controlReserve): void {
    mustPumpAgain = isPumping;
    if (isPumping || isClosed) return;
    isPumping = true;
    do {
      mustPumpAgain = false;
      buffered = port.buffered;
      pumpControl(controlMark);
      // After control's first frames: on a new link a call waits for those.
      if (bulkHello) transmit("bulk", encode(bulkHello));
      bulkHello = undefined;
      if (limits) pumpBulk();
      const lowMark = bulkBatcher.size > 0 ? nearlyEmpty : tuning.highWaterMark / 2;
      if (port.lowMark !== lowMark) port.lowMark = lowMark;
      // Outside of browsers the port may have drained below the new mark already, and will not call `drained`.
      mustPumpAgain ||= buffered > lowMark && !scheduler.isEmpty && port.buffered <= lowMark;
    } while (mustPumpAgain);
    isPumping = false;
    if (scheduler.isEmpty) onEmpty?.();
  }

  function pumpControl(mark: number): void {
    if (control.length === 0) return;
    let count = 0;
    let available = mark - buffered;
    for (const encodeNext of control) {
      if (available <= 0) break;
      const frame = encodeNext();
      if (!mayPrecedeHello(frame)) {
        control[count] = () => frame;
        break;
      }
      count++;
      if (frame.length > messageLimit) flows.add(frame, { write: () => [frame] });
      else {
        available -= frame.length;
        controlBatcher.add([frame]);
      }
    }
    control = control.slice(count);
    controlBatcher.flush();
  }

  function mayPrecedeHello(frame: Uint8Array): boolean {
    if (limits) return true;
    if (frame.length > bytesBeforeOpen) return false;
    bytesBeforeOpen -= frame.length;
    return true;
  }

  function pumpBulk(): void {
    // May exceed the mark by half a message: one that is cut to fit would cost the platform as much as a full one. If the
    // message is larger than the mark, it waits until half of the mark is free.
    const { highWaterMark, messageSize } = tuning;
    const full = Math.max(highWaterMark / 2, highWaterMark - messageSize / 2);
    while (buffered <= full && fillBulkMessage()) {
      // More frames may come while the link is busy.
      if (bulkBatcher.size < messageSize / 2 && buffered > nearlyEmpty) break;
      bulkBatcher.flush();
    }
  }

  function fillBulkMessage(): boolean {
    const dequeue = () => flows.dequeue(bulkBatcher.available, tuning.messageSize);
    for (let next = dequeue(); next; next = dequeue()) bulkBatcher.add(next.frame, next.onSent);
    return bulkBatcher.size > 0;
  }

  function sendLossy(frame: Uint8Array<ArrayBuffer>): void {
    // If the port counts lossy messages as buffered, `moved` decreases with each of them. That is no progress.
    const moved = sentBytes - port.buffered;
    if (port.buffered === 0 || moved > lossy.moved) lossy = { moved, allowance: lossyAllowance };
    if (!limits || frame.length > lossy.allowance) return;
    lossy.allowance -= frame.length;
    port.send("lossy", frame);
  }

  const scheduler: SendScheduler = {
    get isEmpty() {
      return control.length === 0 && flows.isEmpty && bulkBatcher.size === 0;
    },
    send(channel, frame) {
      if (isClosed) return;
      if (channel === "lossy") return sendLossy(encodeWritable(frame));
      if (channel === "control") {
        isUrgent ||= typeof frame === "function" || !notUrgent.has(frame[0]);
        control.push(() => encodeWritable(frame));
      } else if (typeof frame !== "function" && frame[0] === Kind.hello) bulkHello = frame;
      else return scheduler.bulk(undefined, frame);
      schedule();
    },
    bulk(flow, frame, onSent) {
      if (isClosed) return;
      flows.add(flow, { write: () => encodeWritableChunks(frame), onSent });
      schedule();
    },
    drop(flow) {
      flows.drop(flow);
      schedule();
    },
    open(remote) {
      limits = remote;
      messageLimit = Math.min(remote.message, port.maxMessage, maxMessageSize);
      schedule();
    },
    drained() {
      const left = port.buffered;
      if (!isPumping) tuning.onDrained(clock.now(), sentBytes - left, left === 0 && !flows.isEmpty);
      pump();
    },
    close(last) {
      if (last) {
        pump(Number.POSITIVE_INFINITY);
        transmit("control", encode(last));
      }
      isClosed = true;
      control = [];
      flows.clear();
    },
  };

  return scheduler;
}

function encodeWritable(writable: Writable): Uint8Array<ArrayBuffer> {
  const frame = frameOf(writable);
  return frame ? encode(frame) : new Uint8Array();
}

function encodeWritableChunks(writable: Writable): Chunks {
  const frame = frameOf(writable);
  return frame ? encodeChunks(frame) : [];
}

function frameOf(writable: Writable): Frame<Packed> | undefined {
  return typeof writable === "function" ? writable() : writable;
}
