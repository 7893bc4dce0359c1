import { type Bytes, concat, integer, readInteger } from "../../bytes.ts";
import { BonevalueError } from "../../errors.ts";
import type { Channel } from "../transport.ts";
import { ackAfter, channels, headSize, Kind, maxMessage, minPart, more } from "./segments.ts";

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
  const unfinished = channels.map(() => ({ parts: [] as Bytes[], size: 0 }));
  let unacknowledged = 0;
  let isReady = false;

  function onPart(kind: number, isLast: boolean, data: Bytes): void {
    const message = unfinished[kind]!;
    message.parts.push(data);
    message.size += data.length;
    unacknowledged += data.length;
    if (message.size > maxMessage || (!isLast && data.length < minPart)) throw protocolError();
    if (!isLast) return;
    unfinished[kind] = { parts: [], size: 0 };
    options.message(channels[kind]!, concat(...message.parts));
  }

  function onSegment(kind: number, isLast: boolean, data: Bytes): void {
    if (!isReady && kind !== Kind.ready) throw protocolError();
    if (kind < channels.length) onPart(kind, isLast, data);
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
      offset = start + readInteger(record.subarray(start - 2, start));
      if (offset > record.length) throw protocolError();
      onSegment(kind & ~more, kind < more, record.subarray(start, offset));
    }
    if (unacknowledged < ackAfter) return;
    options.sendAck(integer(unacknowledged, 4));
    unacknowledged = 0;
  };
}

function protocolError(): BonevalueError {
  return new BonevalueError("protocol", "The peer broke the rules of relayed links. Update the app on the older side.");
}
