import { BonevalueError } from "../../errors.ts";
import { encode, type Packed } from "../../wire/codec.ts";
import { createOutgoingCredit } from "../../wire/credit.ts";
import { type Frame, Kind } from "../../wire/frames.ts";
import type { SendScheduler } from "../../wire/send-scheduler.ts";
import { longestMessage, thrownError } from "../wire-errors.ts";
import { createProgressCounter } from "./progress-counter.ts";
import type { PullSource } from "./pull.ts";

/** A stream that we send. */
export interface Producer {
  /** Its number on the link: it may be asked for items from now on. */
  open(id: number): void;
  /** The other side's credit. Throws `protocol` where it contradicts itself. */
  grant(read: number, limit: number): void;
  /** Ends it: because the other side wants no more, or because of something on ours. */
  end(reason: BonevalueError): void;
  /** Nobody asks any more how much of it was acknowledged. */
  stopTracking(): void;
}

/** What a producer needs. */
export interface ProducerOptions {
  readonly pull: PullSource;
  readonly scheduler: Pick<SendScheduler, "bulk" | "drop">;
  /** Throws where the item cannot be sent. */
  pack(item: unknown): Packed;
  /** Told how many bytes more of the items the other side has read; counted only where somebody listens. */
  readonly acknowledged?: ((bytes: number) => void) | undefined;
  /** Nothing more is pulled; the reason, where it did not end by itself. Its own end waits to be sent. */
  over(ended: BonevalueError | undefined): void;
  /** The channel has taken its end. */
  gone(): void;
  /** It needs no more frames of the other side. May be told again. */
  settled(id: number): void;
}

/**
 * Sends what `pull` makes, one item at a time: the next is asked for once the other side has room for it and the channel
 * has taken the last. Nothing is pulled before the first credit.
 */
export function createProducer(options: ProducerOptions): Producer {
  const { pull, scheduler, pack, acknowledged } = options;
  const credit = createOutgoingCredit(0);
  const tally = acknowledged && createProgressCounter();
  const flow = {};
  let id: number | undefined;
  let overhead = 0;
  let busy = false;
  let isOver = false;

  function pullNext(): void {
    if (busy || isOver || !credit.mayBegin) return;
    busy = true;
    pull.next().then(send, (error) => finish(thrownError(error)));
  }

  function send(result: IteratorResult<unknown>): void {
    if (isOver) return;
    try {
      const { done, value } = result;
      if (done) finish();
      else sendItem(value);
    } catch (error) {
      end(thrownError(error));
    }
  }

  function sendItem(value: unknown): void {
    const packed = pack(value);
    const bytes = overhead + packed.size;
    credit.begin(bytes);
    tally?.begin(bytes, value instanceof Uint8Array ? value.length : packed.size);
    scheduler.bulk(flow, () => itemFrame(packed), taken);
  }

  function itemFrame(packed: Packed): Frame<Packed> | undefined {
    const { bytes, tail, size } = packed;
    if (!tail || bytes.length + tail.length === size) return [Kind.item, id!, packed];
    const error = new BonevalueError(
      "unsupported",
      "A chunk was transferred or resized before it was sent: do so once the stream asks for the next.",
    );
    queueMicrotask(() => end(error));
    return undefined;
  }

  function taken(): void {
    busy = false;
    pullNext();
  }

  function end(reason: BonevalueError): void {
    if (isOver) return;
    scheduler.drop(flow);
    finish(reason, reason);
    pull.cancel(reason);
  }

  function finish(error?: BonevalueError, ended?: BonevalueError): void {
    if (isOver) return;
    isOver = true;
    if (id !== undefined) scheduler.bulk(flow, endFrame(id, error), options.gone);
    options.over(ended);
    if (error || !tally || credit.read === credit.sent) settle();
  }

  function settle(): void {
    if (id !== undefined) options.settled(id);
  }

  return {
    open(number) {
      id = number;
      overhead = encode([Kind.item, id, nothing]).length;
    },
    grant(read, limit) {
      credit.grant(read, limit);
      if (tally) acknowledged?.(tally.read(read));
      if (isOver && read === credit.sent) settle();
      else pullNext();
    },
    end,
    stopTracking() {
      if (isOver) settle();
    },
  };
}

const nothing: Packed = { bytes: new Uint8Array(), annotations: [], size: 0, hasAttachments: false };

function endFrame(id: number, reason: BonevalueError | undefined): Frame<Packed> {
  return reason ? [Kind.end, id, reason.code, reason.message.slice(0, longestMessage)] : [Kind.end, id];
}
