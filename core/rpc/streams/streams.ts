import { BonevalueError } from "../../errors.ts";
import type { Limits } from "../../limits.ts";
import { type Packed, packItem, type Received } from "../../wire/codec.ts";
import { defaultWindow, maxWindow } from "../../wire/credit.ts";
import { type Hello, Kind } from "../../wire/frames.ts";
import { protocolError } from "../../wire/protocol-error.ts";
import type { SendScheduler } from "../../wire/send-scheduler.ts";
import type { ContractCode } from "../module.ts";
import { remoteError } from "../wire-errors.ts";
import { type Consumer, type ConsumerOptions, createConsumer } from "./consumer.ts";
import { unpackPayload } from "./payload.ts";
import { createProducer, type Producer, type ProducerOptions } from "./producer.ts";
import { readStreamHeader, type StreamHeader } from "./stream-header.ts";

/** The streams of one link, both ways. */
export interface Streams {
  /** How many still need the link. */
  readonly openCount: number;
  /** Makes a stream that we send; the other side hears of it under the number that `announce` gives. */
  produce(code: ContractCode, options: Pick<ProducerOptions, "pull" | "acknowledged" | "over">): Producer;
  /**
   * Numbers the streams of a value that leaves now. Throws `busy` where the other side takes no more of them, and
   * `too-large` for a value that it does not take.
   */
  register(producers: readonly Producer[], packed: Packed): readonly number[];
  /** A value without streams that leaves now. Throws `too-large` where the other side does not take it. */
  checkSize(packed: Packed): Packed;
  /** Makes a stream that we receive. Throws `protocol` where the number is taken, and where there are too many. */
  consume(announcement: StreamHeader, options: Pick<ConsumerOptions, "code" | "over"> & { granted(): void }): Consumer;
  receiveItem(id: number, item: Received): void;
  /** Without a code, the stream is complete. */
  receiveEnd(id: number, code: string | undefined, message: string | undefined): void;
  /** Throws `protocol` where the credit contradicts itself. */
  receiveCredit(id: number, read: number, limit: number): void;
  receiveStop(id: number, code: string): void;
  /** Stops the streams of a value that nobody waits for. */
  refuse(value: Received): void;
  /** The link is over, and with it every stream that has not arrived whole. */
  end(reason: BonevalueError): void;
}

/** What {@link createStreams} needs of the link. */
export interface StreamsOptions {
  readonly scheduler: Pick<SendScheduler, "send" | "bulk" | "drop">;
  readonly limits: Limits;
  /** The other side's limits, once they are known. */
  remote(): Hello | undefined;
  /** The clock's time. */
  now(): number;
}

// Of what may be buffered for a peer, for all streams together. Small items take more memory than they do on the wire.
const smallestPart = 1 / 8;
const largestPart = 3 / 8;
const waitingPart = 1 / 2;
const itemCost = 64;

/** No stream is open yet. */
export function createStreams({ scheduler, limits, remote, now }: StreamsOptions): Streams {
  const producers = new Map<number, Producer>();
  const consumers = new Map<number, Consumer>();
  // Until the channel has taken its end, the other side counts a stream as open.
  let sending = 0;
  let last = 0;
  let held = 0;

  /** What each stream may have of a part of our memory. */
  const share = (part: number) => Math.floor((limits.bytesPerPeer * part) / Math.max(1, consumers.size));

  function reserve(bytes: number): boolean {
    // One item is taken whatever its size: it is within `messageSize`.
    if (held > 0 && held + bytes + itemCost > limits.bytesPerPeer * waitingPart) return false;
    held += bytes + itemCost;
    return true;
  }

  function checkSize(packed: Packed): Packed {
    const most = remote()?.value ?? Number.POSITIVE_INFINITY;
    if (packed.size <= most) return packed;
    throw new BonevalueError(
      "too-large",
      `The peer takes values of ${most} bytes at most: send it as a stream or a file.`,
    );
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
        pack: (item) =>
          packItem(item, { name: "item", code, depth, size: Math.min(messageSize, remote()?.value ?? messageSize) }),
        gone: () => sending--,
        settled: (id) => producers.delete(id),
      });
    },
    checkSize,
    register(added, packed) {
      checkSize(packed);
      const streams = remote()?.streams ?? 0;
      if (sending + added.length > streams) throw tooMany(streams);
      return added.map((producer) => {
        const id = ++last;
        sending++;
        producers.set(id, producer);
        producer.open(id);
        return id;
      });
    },
    consume({ id, file }, { code, granted, over }) {
      if (consumers.has(id)) throw protocolError(`a second stream under the number ${id}`);
      if (consumers.size >= limits.streamsPerPeer) throw protocolError("more streams than may be open at once");
      const consumer = createConsumer({
        code,
        size: file?.size,
        window: () => ({
          min: Math.min(defaultWindow, share(smallestPart)),
          max: () => Math.min(maxWindow, share(largestPart)),
        }),
        now,
        reserve,
        release: (bytes) => {
          held -= bytes + itemCost;
        },
        grant({ read, limit }) {
          scheduler.send("control", [Kind.credit, id, read, limit]);
          granted();
        },
        stop(code) {
          consumers.delete(id);
          scheduler.send("control", [Kind.stop, id, code]);
        },
        over,
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
      producer?.end(remoteError(code, "The peer wants no more of the stream."));
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

function tooMany(streams: number): BonevalueError {
  return new BonevalueError("busy", `The peer takes ${streams} streams at once: wait until some have ended.`);
}
