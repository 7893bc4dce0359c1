import { type Bytes, integer, readInteger } from "../../bytes.ts";
import { BonevalueError } from "../../errors.ts";
import type { Channel } from "../transport.ts";
import { ackAfter, channels, headSize, Kind } from "./segments.ts";

/** The events of the incoming half of a relayed link. */
export interface RecordReaderOptions {
  message(channel: Channel, bytes: Bytes): void;
  /** The data of an ack for the bytes that have arrived. */
  sendAck(data: Bytes): void;
  /** An ack has arrived. Returns `false` if it acknowledges more than was sent. */
  acknowledged(bytes: number): boolean;
  ready(): void;
  ping(): void;
  pong(): void;
}

/** Creates a reader of decrypted records. It throws `protocol` for a record that breaks the rules. */
export function createRecordReader(options: RecordReaderOptions): (record: Bytes) => void {
  let unacknowledged = 0;
  let isReady = false;

  function onMessage(channel: Channel, data: Bytes): void {
    unacknowledged += data.length;
    // A view keeps all of its record in memory.
    options.message(channel, data.length * 2 > data.buffer.byteLength ? data : data.slice());
  }

  function onSegment(kind: number, data: Bytes): void {
    if (!isReady && kind !== Kind.ready) throw protocolError();
    const channel = channels[kind];
    if (channel) onMessage(channel, data);
    else if (kind === Kind.ready && !isReady) {
      isReady = true;
      options.ready();
    } else if (kind === Kind.ping) options.ping();
    else if (kind === Kind.pong) options.pong();
    else if (kind !== Kind.ack || !options.acknowledged(readInteger(data))) throw protocolError();
  }

  return (record) => {
    for (let offset = 0; offset < record.length; ) {
      const start = offset + headSize;
      if (start > record.length) throw protocolError();
      const kind = record[offset]!;
      offset = start + readInteger(record.subarray(start - 3, start));
      if (offset > record.length) throw protocolError();
      onSegment(kind, record.subarray(start, offset));
    }
    if (unacknowledged < ackAfter) return;
    options.sendAck(integer(unacknowledged, 4));
    unacknowledged = 0;
  };
}

function protocolError(): BonevalueError {
  return new BonevalueError("protocol", "The peer broke the rules of relayed links. Update the app on the older side.");
}
