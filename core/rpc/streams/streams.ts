import { BonevalueError } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import { packItem, type Received } from "../../wire/codec.ts";
import { defaultWindow, maxWindow } from "../../wire/credit.ts";
import { type Hello, Kind } from "../../wire/frames.ts";
import type { Packed } from "../../wire/pack.ts";
import { protocolError } from "../../wire/protocol-error.ts";
import type { SendScheduler } from "../../wire/send-scheduler.ts";
import { tooLarge } from "../../wire/serialize.ts";
import type { ContractCode } from "../module.ts";
import { unpackPayload } from "../unpack-payload.ts";
import { remoteError } from "../wire-errors.ts";
import { type Consumer, type ConsumerOptions, createConsumer } from "./consumer.ts";
import { createProducer, type Producer, type ProducerOptions } from "./producer.ts";
import { readStreamHeader, type StreamHeader } from "./stream-header.ts";

/** The streams of one link, in both directions. */
export interface Streams {
  /** How many streams still need the link. */
  readonly openCount: number;
  /** Creates a stream that we send. It gets its number from `register`. */
  produce(code: ContractCode, options: Pick<ProducerOptions, "pull" | "onAcknowledged" | "onOver">): Producer;
  /**
   * Numbers the streams of a value that is sent now, and returns the numbers. Throws `busy` if the other side accepts no
   * more streams, and `too-large` if it does not accept the value.
   */
  register(producers: readonly Producer[], packed: Packed): readonly number[];
  /** Returns a value without streams that is sent now. Throws `too-large` if the other side does not accept it. */
  checkSize(packed: Packed): Packed;
  /** Creates a stream that we receive. Throws `protocol` if its number is in use, or too many streams are open. */
  consume(header: StreamHeader, options: Pick<ConsumerOptions, "code" | "onOver"> & { onCredit(): void }): Consumer;
  receiveItem(id: number, item: Received): void;
  /** Without `code`, the stream is complete. */
  receiveEnd(id: number, code: string | undefined, message: string | undefined): void;
  /** Throws `protocol` if it contradicts the last credit. */
  receiveCredit(id: number, read: number, limit: number): void;
  receiveStop(id: number, code: string): void;
  /** Stops the streams of a value that is no longer needed. */
  refuse(value: Received): void;
  /** Ends all streams with the link, except the streams that have arrived completely. */
  end(reason: BonevalueError): void;
}

/** The environment of a link's streams. */
export interface StreamsOptions {
  readonly scheduler: Pick<SendScheduler, "send" | "bulk" | "drop">;
  readonly limits: Limits;
  /** Returns the other side's limits, once they are known. */
  remote(): Hello | undefined;
  /** Returns the time in ms. */
  now(): number;
  /** Called with errors of this page's own code. */
  failed(error: BonevalueError): void;
}

// Parts of `bytesPerPeer` for all streams together: their smallest windows, their largest, and the items that wait to be
// read.
const minWindowPart = 1 / 8;
const maxWindowPart = 3 / 8;
const unreadPart = 1 / 2;
// A small item takes more memory than it does on the wire.
const itemOverhead = 64;

/** Creates the streams of a link. */
export function createStreams({ scheduler, limits, remote, now, failed }: StreamsOptions): Streams {
  const producers = new Map<number, Producer>();
  const consumers = new Map<number, Consumer>();
  // The other side counts a stream as open until it has read its end, so we do until that was sent.
  let sending = 0;
  let lastId = 0;
  let unreadBytes = 0;

  /** Returns each stream's share of a part of our memory. */
  const share = (part: number) => Math.floor((limits.bytesPerPeer * part) / Math.max(1, consumers.size));

  function reserve(bytes: number): boolean {
    // One item may always wait. Its size is within `messageSize`.
    if (unreadBytes > 0 && unreadBytes + bytes + itemOverhead > limits.bytesPerPeer * unreadPart) return false;
    unreadBytes += bytes + itemOverhead;
    return true;
  }

  function checkSize(packed: Packed): Packed {
    const maxSize = remote()?.value ?? Number.POSITIVE_INFINITY;
    if (packed.size > maxSize) throw tooLarge({ name: "value", size: maxSize });
    return packed;
  }

  function receiveItem(id: number, value: Received): void {
    const consumer = consumers.get(id);
    if (!consumer) return;
    const item = unpackPayload(value);
    if ("error" in item) consumer.abort(item.error);
    else consumer.receive(item.value, value.size);
  }

  function receiveEnd(id: number, code: string | undefined, message = "The peer ended the stream."): void {
    consumers.get(id)?.finish(code === undefined ? undefined : remoteError(code, message));
    consumers.delete(id);
  }

  return {
    get openCount() {
      return sending + consumers.size;
    },
    produce(code, options) {
      const { depth, messageSize } = limits;
      return createProducer({
        ...options,
        scheduler,
        failed,
        pack: (item) =>
          packItem(item, { name: "item", code, depth, size: Math.min(messageSize, remote()?.value ?? messageSize) }),
        onEndSent: () => sending--,
        onSettled: (id) => producers.delete(id),
      });
    },
    checkSize,
    register(added, packed) {
      checkSize(packed);
      const streams = remote()?.streams ?? 0;
      if (sending + added.length > streams) {
        const message = `The peer accepts ${streams} streams at once. Wait until some have ended.`;
        throw new BonevalueError("busy", message);
      }
      return added.map((producer) => {
        const id = ++lastId;
        sending++;
        producers.set(id, producer);
        producer.open(id);
        return id;
      });
    },
    consume({ id, file }, { code, onCredit, onOver }) {
      if (consumers.has(id)) throw protocolError("an unexpected frame");
      if (consumers.size >= limits.streamsPerPeer) throw protocolError("more than is allowed");
      const stop = (code: string) => {
        consumers.delete(id);
        scheduler.send("control", [Kind.stop, id, code]);
      };
      const consumer = createConsumerOrStop(stop, {
        code,
        size: file?.size,
        window: () => ({
          min: Math.min(defaultWindow, share(minWindowPart)),
          max: () => Math.min(maxWindow, share(maxWindowPart)),
        }),
        now,
        reserve,
        release: (bytes) => {
          unreadBytes -= bytes + itemOverhead;
        },
        grant({ read, limit }) {
          scheduler.send("control", [Kind.credit, id, read, limit]);
          onCredit();
        },
        stop,
        onOver,
      });
      consumers.set(id, consumer);
      return consumer;
    },
    receiveItem,
    receiveEnd,
    receiveCredit: (id, read, limit) => producers.get(id)?.grant(read, limit),
    receiveStop(id, code) {
      const producer = producers.get(id);
      producers.delete(id);
      producer?.end(remoteError(code, "The peer cancelled the stream."));
    },
    refuse(value) {
      unpackPayload(value, (kind, detail) => {
        scheduler.send("control", [Kind.stop, readStreamHeader(kind, detail).id, "cancelled"]);
      });
    },
    end(reason) {
      for (const producer of [...producers.values()]) producer.end(reason);
      for (const consumer of [...consumers.values()]) consumer.abort(reason);
    },
  };
}

/** Stops the producer if this environment has no streams. */
function createConsumerOrStop(stop: (code: string) => void, options: ConsumerOptions): Consumer {
  try {
    return createConsumer(options);
  } catch (error) {
    stop("unsupported");
    throw error;
  }
}
