import { BonevalueError } from "../../errors.ts";
import { encode } from "../../wire/codec.ts";
import { createOutgoingCredit } from "../../wire/credit.ts";
import { type Frame, Kind } from "../../wire/frames.ts";
import type { Packed } from "../../wire/pack.ts";
import type { SendScheduler } from "../../wire/send-scheduler.ts";
import { longestMessage, thrownError } from "../wire-errors.ts";
import type { PullSource } from "./pull.ts";

/** A stream that we send. */
export interface Producer {
  /** Sets its number on the link. From now on the other side may ask for items. */
  open(id: number): void;
  /** Applies a credit of the other side. Throws `protocol` if it contradicts the last one. */
  grant(read: number, limit: number): void;
  /** Ends it early: the other side cancelled, or something on our side failed. */
  end(reason: BonevalueError): void;
  /** Stops counting what the other side has read. */
  stopTracking(): void;
}

/** The environment of a producer. */
export interface ProducerOptions {
  readonly pull: PullSource;
  readonly scheduler: Pick<SendScheduler, "bulk" | "drop">;
  /** Throws if the item cannot be sent. */
  pack(item: unknown): Packed;
  /** Called with how many more bytes the other side has read, as the app counts them. */
  readonly onAcknowledged?: ((bytes: number) => void) | undefined;
  /** Called when nothing more is pulled, with the reason if it was ended early. Its `end` frame is queued. */
  onOver(reason: BonevalueError | undefined): void;
  /** Called when an item cannot be created or sent, because of this page's own code. */
  failed(error: BonevalueError): void;
  /** Called when its `end` frame was sent. */
  onEndSent(): void;
  /** Called when it needs no more frames of the other side. May be called repeatedly. */
  onSettled(id: number): void;
}

/**
 * Sends the items of `pull`, one at a time. The next is pulled once the other side has credit for it and the last was
 * sent. Nothing is pulled before the first credit.
 */
export function createProducer(options: ProducerOptions): Producer {
  const { pull, scheduler, pack, onAcknowledged } = options;
  const credit = createOutgoingCredit(0);
  const progress = onAcknowledged && createProgressCounter();
  const flow = {};
  let id: number | undefined;
  let frameOverhead = 0;
  let isBusy = false;
  let isOver = false;

  function pullNext(): void {
    if (isBusy || isOver || !credit.mayBegin) return;
    isBusy = true;
    pull.next().then(send, (error) => {
      if (isOver) return;
      // The app threw a BonevalueError on purpose.
      if (!(error instanceof BonevalueError)) options.failed(thrownError(error));
      finish(thrownError(error));
    });
  }

  function send(result: IteratorResult<unknown>): void {
    if (isOver) return;
    try {
      const { done, value } = result;
      if (done) finish();
      else sendItem(value);
    } catch (error) {
      options.failed(thrownError(error));
      end(thrownError(error));
    }
  }

  function sendItem(value: unknown): void {
    const packed = pack(value);
    const bytes = frameOverhead + packed.size;
    credit.begin(bytes);
    progress?.begin(bytes, ArrayBuffer.isView(value) ? value.byteLength : packed.size);
    scheduler.bulk(flow, () => itemFrame(packed), onItemSent);
  }

  function itemFrame(packed: Packed): Frame<Packed> | undefined {
    const { bytes, tail, size } = packed;
    if (!tail || bytes.length + tail.length === size) return [Kind.item, id!, packed];
    const error = new BonevalueError(
      "unsupported",
      "A chunk was transferred or resized before it was sent. Wait until the stream asks for the next one.",
    );
    // The scheduler is busy with this frame.
    queueMicrotask(() => end(error));
    return undefined;
  }

  function onItemSent(): void {
    isBusy = false;
    pullNext();
  }

  function end(reason: BonevalueError): void {
    if (isOver) return;
    scheduler.drop(flow);
    finish(reason, reason);
    pull.cancel(reason);
  }

  function finish(error?: BonevalueError, reason?: BonevalueError): void {
    if (isOver) return;
    isOver = true;
    if (id !== undefined) scheduler.bulk(flow, endFrame(id, error), options.onEndSent);
    options.onOver(reason);
    if (error || !progress || credit.read === credit.sent) settle();
  }

  function settle(): void {
    if (id !== undefined) options.onSettled(id);
  }

  return {
    open(number) {
      id = number;
      frameOverhead = encode([Kind.item, id, emptyValue]).length;
    },
    grant(read, limit) {
      credit.grant(read, limit);
      if (progress) onAcknowledged?.(progress.acknowledge(read));
      if (isOver && read === credit.sent) settle();
      else pullNext();
    },
    end,
    stopTracking() {
      if (isOver) settle();
    },
  };
}

const emptyValue: Packed = { bytes: new Uint8Array(), annotations: [], size: 0, hasAttachments: false };

function endFrame(id: number, error: BonevalueError | undefined): Frame<Packed> {
  return error ? [Kind.end, id, error.code, error.message.slice(0, longestMessage)] : [Kind.end, id];
}

/** Converts bytes of frames, in which the other side acknowledges, to bytes of items, which the app counts. */
function createProgressCounter() {
  let unread: { readonly end: number; readonly itemBytes: number }[] = [];
  let begun = 0;
  return {
    /** Counts an item that is sent. */
    begin(frameBytes: number, itemBytes: number): void {
      begun += frameBytes;
      unread.push({ end: begun, itemBytes });
    },
    /** Returns the bytes of the items that were read since the last call. `read` counts frames since the beginning. */
    acknowledge(read: number): number {
      const acknowledged = unread.filter(({ end }) => end <= read);
      unread = unread.slice(acknowledged.length);
      return acknowledged.reduce((sum, { itemBytes }) => sum + itemBytes, 0);
    },
  };
}
