import type { Clock } from "../clock.ts";
import { microtask } from "../microtask.ts";
import { createBufferTuning } from "./buffer-tuning.ts";
import { encode, encodeChunks, type Packed } from "./codec.ts";
import type { Chunks } from "./concat-bytes.ts";
import { createFairQueue } from "./fair-queue.ts";
import { type Channel, type Frame, Kind, maxMessageSize } from "./frames.ts";
import { createMessageBatcher } from "./message-batcher.ts";

/** What scheduler need of a link: a transport's `Link` is one. */
export interface Port {
  /** Takes a whole message, whose bytes are the caller's again when it returns. `lossy` may drop it. Never throws. */
  send(channel: Channel, message: Uint8Array<ArrayBuffer>): void;
  /** Bytes sent on control and bulk that have not left this machine. */
  readonly buffered: number;
  /** At or below this much the owner is told, and calls `drained`. */
  lowMark: number;
  /** The largest message, in bytes. */
  readonly maxMessage: number;
}

/**
 * A frame, or what makes it when the channel takes it: once, and never for a frame that was dropped. What makes nothing
 * has nothing to say after all. It never throws: what waits behind it would wait for ever.
 */
export type Writable = Frame<Packed> | (() => Frame<Packed> | undefined);

/** What the other side takes, as its hello says, in bytes. */
export interface RemoteLimits {
  /** Largest message: at least 16 KiB. */
  readonly message: number;
  /** Most of values that it has in part. */
  readonly assembly: number;
}

/** What goes next onto a link's channels. Nothing is lost or dropped but as said here. */
export interface SendScheduler {
  /** Whether nothing waits. */
  readonly isEmpty: boolean;
  /**
   * Sends a frame, in order with others of its channel; those of one turn of the event loop travel together. On control,
   * frames too large for one message are sent on bulk instead, in parts. A lossy frame is dropped before `open`, and
   * while the link does not move.
   */
  send(channel: Channel, frame: Writable): void;
  /**
   * Sends a frame on bulk, in order within its flow: a stream, or a call and all that follows from it. Any value names
   * a flow. `taken` is told once: when the channel was given the frame, or so much of it that the message with its end
   * has room for more. It is the time to make the next.
   */
  bulk(flow: unknown, frame: Writable, onSent?: () => void): void;
  /** Forgets what waits in the flow, a frame that went out in part included; more may follow. */
  drop(flow: unknown): void;
  /** The other side's hello was read: until then control carries 16 KiB in all, and bulk nothing but our hello. */
  open(limits: RemoteLimits): void;
  /** To be called when the link's `buffered` has fallen to its low mark. */
  drained(): void;
  /**
   * Forgets everything, and takes nothing more. Where there is a `last` frame, control gets all that it may carry first,
   * and then this.
   */
  close(last?: Frame<Packed>): void;
}

/** What is handed in. */
export interface SendSchedulerOptions {
  readonly clock: Pick<Clock, "now">;
  /** Told when nothing waits any more; may be told again. */
  readonly onEmpty?: (() => void) | undefined;
  /** Runs a task when this turn has written its frames. Default: a microtask. */
  readonly defer?: ((task: () => void) => void) | undefined;
}

/** Frames up to this size always fit on control. */
export const minMessageSize: number = 16 * 1_024;

// Of what may be said before the other's hello, for saying why the link ends.
const lastWord = 64;

// Eleven packets of Chromium's SCTP, 1 160 bytes each: a third of what 256 calls in flight take, so that both sides and
// the network work at once. Smaller messages wake each side more often, larger ones leave it idle.
const largestJoined = 11 * 1_160;

// Control may add this to what bulk has buffered, so that calls need not wait for a stream.
const controlRoom = 64 * 1_024;

// A link with more than this to move can wait for a message to be filled.
const nearlyEmpty = 32 * 1_024;

// What may go out on lossy while nothing else moves.
const lossyRoom = 4_096;

const unhurried = new Set<number>([Kind.hello, Kind.credit]);

/** Lanes of one link. Their owner closes them with it. */
export function createSendScheduler(
  port: Port,
  { clock, onEmpty, defer = microtask }: SendSchedulerOptions,
): SendScheduler {
  let limits: RemoteLimits | undefined;
  let early = minMessageSize - lastWord;
  // Our first word on bulk, which it takes before the other's.
  let bulkHello: Frame<Packed> | undefined;
  let given = 0;
  // What the platform said when we began to fill it, and what it was given since: asking it again costs as much as a frame.
  let buffered = 0;
  // Whether something waits for control that somebody waits for.
  let urgent = false;
  let scheduled = false;
  let pumping = false;
  let again = false;
  let closed = false;
  let lossy = { moved: 0, room: lossyRoom };

  let message = minMessageSize;
  const give = (channel: "control" | "bulk", bytes: Uint8Array<ArrayBuffer>) => {
    given += bytes.length;
    buffered += bytes.length;
    port.send(channel, bytes);
  };

  let control: (() => Uint8Array<ArrayBuffer>)[] = [];
  const flows = createFairQueue(() => limits?.assembly ?? 0);
  const pace = createBufferTuning(() => message);
  const controlMessage = createMessageBatcher(
    () => Math.min(message, largestJoined),
    (bytes) => {
      if (urgent) pace.onUrgent(clock.now());
      urgent = false;
      give("control", bytes);
    },
  );
  const bulkMessage = createMessageBatcher(
    () => pace.messageSize,
    (bytes) => give("bulk", bytes),
  );

  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    defer(() => {
      scheduled = false;
      if (port.buffered === 0) pace.onIdle();
      pump();
    });
  };

  const pump = (controlMark = pace.highWaterMark + controlRoom) => {
    // A link may tell of draining while it is being filled.
    again = pumping;
    if (pumping || closed) return;
    pumping = true;
    do {
      again = false;
      buffered = port.buffered;
      pumpControl(controlMark);
      greetBulk();
      if (limits) pumpBulk();
      const lowMark = bulkMessage.size > 0 ? nearlyEmpty : pace.highWaterMark / 2;
      if (port.lowMark !== lowMark) port.lowMark = lowMark;
      // Elsewhere than in browsers it drains at the same time, and may have fallen to its low mark before it was told of it.
      again ||= buffered > lowMark && !scheduler.isEmpty && port.buffered <= lowMark;
    } while (again);
    pumping = false;
    if (scheduler.isEmpty) onEmpty?.();
  };

  const pumpControl = (mark: number) => {
    if (control.length === 0) return;
    let taken = 0;
    let room = mark - buffered;
    for (const write of control) {
      if (room <= 0) break;
      const frame = write();
      if (!mayGo(frame)) {
        control[taken] = () => frame;
        break;
      }
      taken++;
      if (frame.length > message) flows.add(frame, { write: () => [frame] });
      else {
        room -= frame.length;
        controlMessage.add([frame]);
      }
    }
    control = control.slice(taken);
    controlMessage.flush();
  };

  const mayGo = (frame: Uint8Array): boolean => {
    if (limits) return true;
    if (frame.length > early) return false;
    early -= frame.length;
    return true;
  };

  const pumpBulk = () => {
    // Beyond the mark by half a message at most: one that is cut to fit would cost the platform as much as a full one.
    // Where one is larger than the mark, it goes when we are told that half of the mark is free.
    const full = Math.max(pace.highWaterMark / 2, pace.highWaterMark - pace.messageSize / 2);
    while (buffered <= full && fillBulk()) {
      // More may come while the link has something to do.
      if (bulkMessage.size < pace.messageSize / 2 && buffered > nearlyEmpty) break;
      bulkMessage.flush();
    }
  };

  const fillBulk = (): boolean => {
    let next = flows.dequeue(bulkMessage.available, pace.messageSize);
    while (next) {
      bulkMessage.add(next.frame, next.onSent);
      next = flows.dequeue(bulkMessage.available, pace.messageSize);
    }
    return bulkMessage.size > 0;
  };

  /** Behind what control says first: on a new link somebody waits for that. */
  const greetBulk = () => {
    if (bulkHello) give("bulk", encode(bulkHello));
    bulkHello = undefined;
  };

  const sendLossy = (frame: Uint8Array<ArrayBuffer>) => {
    const moved = given - port.buffered;
    if (port.buffered === 0 || moved !== lossy.moved) lossy = { moved, room: lossyRoom };
    if (!limits || frame.length > lossy.room) return;
    lossy.room -= frame.length;
    port.send("lossy", frame);
  };

  const scheduler: SendScheduler = {
    get isEmpty() {
      return control.length === 0 && flows.isEmpty && bulkMessage.size === 0;
    },
    send(channel, frame) {
      if (closed) return;
      if (channel === "lossy") return sendLossy(written(frame));
      if (channel === "control") {
        urgent ||= typeof frame === "function" || !unhurried.has(frame[0]);
        control.push(() => written(frame));
      } else if (typeof frame !== "function" && frame[0] === Kind.hello) bulkHello = frame;
      else flows.add(undefined, { write: () => inPieces(frame) });
      schedule();
    },
    bulk(flow, frame, onSent) {
      if (closed) return;
      flows.add(flow, { write: () => inPieces(frame), onSent });
      schedule();
    },
    drop(flow) {
      flows.drop(flow);
      schedule();
    },
    open(remote) {
      limits = remote;
      message = Math.min(remote.message, port.maxMessage, maxMessageSize);
      schedule();
    },
    drained() {
      const left = port.buffered;
      if (!pumping) pace.onDrained(clock.now(), given - left, left === 0 && !flows.isEmpty);
      pump();
    },
    close(last) {
      if (last) {
        pump(Number.POSITIVE_INFINITY);
        give("control", encode(last));
      }
      closed = true;
      control = [];
      flows.clear();
    },
  };

  return scheduler;
}

function written(writable: Writable): Uint8Array<ArrayBuffer> {
  const frame = frameOf(writable);
  return frame ? encode(frame) : new Uint8Array();
}

function inPieces(writable: Writable): Chunks {
  const frame = frameOf(writable);
  return frame ? encodeChunks(frame) : [];
}

function frameOf(writable: Writable): Frame<Packed> | undefined {
  return typeof writable === "function" ? writable() : writable;
}
