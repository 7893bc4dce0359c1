import { type Bytes, concat } from "../../bytes.ts";
import { microtask } from "../../clock.ts";
import type { Channel } from "../transport.ts";
import { ackAfter, channels, headSize, Kind, maxRecord, windowSize } from "./segments.ts";

// Packs the messages of the three channels into records. WebSockets do not report when their buffer drains, so the other
// side acknowledges the bytes of messages, and at most `windowSize` are on their way. All others wait here, where control
// can still overtake bulk. Segments without a message do not count: an ack must never wait for an ack.
//
// Bytes in transit count as buffered, like waiting bytes: a call waits behind both. So the owner of the link, which buffers less
// while there are calls, decides how much of the window a stream uses: three of its chunks beside calls, and five without. What may
// have arrived without an ack does not count. Otherwise a link that moves would never be empty, and the owner would never buffer
// more.

// A message that waits behind this many bytes would be stale when it is sent.
const lossyHighWaterMark = 16_384;

/** The outgoing half of a relayed link. */
export interface RecordWriter {
  /** The bytes on control and bulk that wait or are certainly in transit. */
  readonly buffered: number;
  /** `drain` is called when `buffered` falls to this. */
  lowMark: number;
  /** The caller may reuse the bytes afterwards. */
  send(channel: Channel, message: Bytes): void;
  /** Sends a segment without a message, before all messages. */
  signal(kind: (typeof Kind)[keyof typeof Kind], data?: Bytes): void;
  /** Begins to write. Everything waits until then. */
  start(): void;
  /** Returns `false` if the other side acknowledges more than it was sent. */
  onAck(bytes: number): boolean;
}

export interface RecordWriterOptions {
  /** Called with one record after another. The next one overwrites the bytes. */
  write(record: Bytes): void;
  drain(): void;
}

interface Queue {
  readonly kind: number;
  readonly messages: Bytes[];
  size: number;
}

/** Creates a writer. It writes what one turn of the event loop has sent together, in a microtask. */
export function createRecordWriter({ write, drain }: RecordWriterOptions): RecordWriter {
  const queues = channels.map((_, kind): Queue => ({ kind, messages: [], size: 0 }));
  const queueOf = (channel: Channel): Queue => queues[channels.indexOf(channel)]!;
  const record = new Uint8Array(maxRecord);
  const signals: Bytes[] = [];
  let inFlight = 0;
  let lowMark = 0;
  let isAboveLowMark = false;
  let isStarted = false;
  let isScheduled = false;

  const buffered = (): number => queueOf("control").size + queueOf("bulk").size + Math.max(0, inFlight - ackAfter);

  function schedule(): void {
    if (isScheduled || !isStarted) return;
    isScheduled = true;
    microtask(writeAll);
  }

  function writeAll(): void {
    isScheduled = false;
    writeRecords();
    checkLowMark();
  }

  function writeRecords(): void {
    for (let size = fillRecord(); size > 0; size = fillRecord()) write(record.subarray(0, size));
  }

  /** Returns how many bytes it has filled. */
  function fillRecord(): number {
    let size = 0;

    function append(kind: number, data: Uint8Array): void {
      new DataView(record.buffer).setUint32(size, data.length);
      record[size] = kind;
      record.set(data, size + headSize);
      size += headSize + data.length;
    }

    while (signals[0] && size + headSize + signals[0].length - 1 <= maxRecord) {
      const segment = signals.shift()!;
      append(segment[0]!, segment.subarray(1));
    }
    for (const queue of queues) {
      for (let message = queue.messages[0]; message; message = queue.messages[0]) {
        // Nothing overtakes what has no room, or bulk could always take the room that control waits for.
        if (message.length > Math.min(maxRecord - size - headSize, windowSize - inFlight)) return size;
        append(queue.kind, message);
        inFlight += message.length;
        queue.size -= message.length;
        queue.messages.shift();
      }
    }
    return size;
  }

  function checkLowMark(): void {
    if (!isAboveLowMark || buffered() > lowMark) return;
    isAboveLowMark = false;
    drain();
  }

  return {
    get buffered() {
      return buffered();
    },
    get lowMark() {
      return lowMark;
    },
    set lowMark(mark) {
      lowMark = mark;
      if (isAboveLowMark) checkLowMark();
      else isAboveLowMark = buffered() > mark;
    },
    send(channel, message) {
      const queue = queueOf(channel);
      if (channel === "lossy" && queue.size > lossyHighWaterMark) return;
      queue.messages.push(message);
      queue.size += message.length;
      isAboveLowMark ||= buffered() > lowMark;
      // A large message that can leave at once needs no copy but its record.
      if (isStarted && message.length > maxRecord / 2) writeRecords();
      // It waits, and the caller may reuse the bytes.
      if (queue.messages.at(-1) === message) queue.messages[queue.messages.length - 1] = message.slice();
      schedule();
    },
    start() {
      isStarted = true;
      writeAll();
    },
    signal(kind, data = new Uint8Array()) {
      // One pong answers all pings of a record.
      if (kind === Kind.pong && signals.some(([waiting]) => waiting === kind)) return;
      signals.push(concat(Uint8Array.of(kind), data));
      schedule();
    },
    onAck(bytes) {
      if (bytes > inFlight) return false;
      inFlight -= bytes;
      schedule();
      return true;
    },
  };
}
