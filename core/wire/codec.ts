import { Unpackr } from "msgpackr/unpack";
import type { Annotation } from "./annotations.ts";
import type { Chunks } from "./concat-bytes.ts";
import { type AttachmentReceiver, deserialize } from "./deserialize.ts";
import { type FrameSchema, frameSchemas, matches } from "./frame-schema.ts";
import { type Frame, Kind, maxContainers, maxMessageSize } from "./frames.ts";
import { isAttachment, type Packed, pack, withAnnotations } from "./pack.ts";
import { protocolError } from "./protocol-error.ts";
import { endOfValue, readArrayHeader } from "./scan.ts";
import { type SerializeOptions, tooLarge } from "./serialize.ts";
import { beginWrite, finishWrite, writeArrayHeader, writeBytesHeader, writeRaw, writeValue } from "./writer.ts";

/** A value as it arrived: decoded, before its annotations are applied by {@link unpackValue}. */
export interface Received {
  readonly plain: unknown;
  readonly annotations: unknown;
  /** Bytes of the whole frame, which credit counts. */
  readonly size: number;
}

/** Limits for received values. */
export interface DecodeLimits {
  /** Most bytes of one value, annotations included. */
  readonly value: number;
  /** Most containers inside each other in one value. */
  readonly depth: number;
}

const plainMsgpack = { useRecords: false, mapsAsObjects: true } as const;

// Returns integers beyond ±2⁵³, which JavaScript never sends, as BigInts, so that no digit is lost. msgpackr's types lack "auto".
const copyingUnpackr = Object.assign(new Unpackr({ ...plainMsgpack, copyBuffers: true }), { int64AsType: "auto" });
const inPlaceUnpackr = Object.assign(new Unpackr({ ...plainMsgpack, copyBuffers: false }), { int64AsType: "auto" });

// A hello is read before the peer is known.
const maxHelloSize = 4_096;
// The nesting of annotations, hellos and signals is less than this.
const maxFieldDepth = 16;

/** Like `pack`, but does not copy bytes that fill a message of their own. The item must be sent before they change. */
export function packItem(value: unknown, options: SerializeOptions): Packed {
  if (!isLargeChunk(value)) return pack(value, options);
  beginWrite();
  writeBytesHeader(value.length);
  const bytes = finishWrite();
  const size = bytes.length + value.length;
  if (size > options.size) throw tooLarge(options);
  return { bytes, tail: value, annotations: [], size, hasAttachments: false };
}

/** Returns the same value with other details for its streams and blobs, which each link numbers on its own. */
export function mapAttachments(packed: Packed, map: (detail: unknown) => unknown): Packed {
  const annotations = packed.annotations.map(
    (annotation): Annotation =>
      isAttachment(annotation) ? [annotation[0], annotation[1], map(annotation[2])] : annotation,
  );
  return withAnnotations(packed.bytes, annotations);
}

/** Returns the bytes of a frame. An item's tail is a chunk of its own. */
export function encodeChunks(frame: Frame<Packed>): Chunks {
  const head = encode(frame);
  return frame[0] === Kind.item && frame[2].tail ? [head, frame[2].tail] : [head];
}

/** Returns the bytes of a frame, without an item's tail. */
export function encode(frame: Frame<Packed>): Uint8Array<ArrayBuffer> {
  const { valueAt } = frameSchemas[frame[0]]!;
  const value = frame[valueAt] as Packed | undefined;
  beginWrite();
  writeArrayHeader(frame.length + (value?.annotationBytes ? 1 : 0));
  for (let index = 0; index < frame.length; index++) {
    if (index === valueAt) writeRaw(value!.bytes);
    else writeValue(frame[index]);
  }
  if (value?.annotationBytes) writeRaw(value.annotationBytes);
  return finishWrite();
}

/** Returns the bytes of a `part` frame up to the `length` bytes that it carries. */
export function encodePartHeader(slot: number, remaining: number, length: number): Uint8Array<ArrayBuffer> {
  beginWrite();
  writeArrayHeader(4);
  for (const element of [Kind.part, slot, remaining]) writeValue(element);
  writeBytesHeader(length);
  return finishWrite();
}

/**
 * Returns the frames of one message, or the frame that was reassembled from parts. Scans the bytes before it builds
 * anything. Throws `protocol` for the whole message if anything in it is malformed or exceeds a limit.
 */
export function decode(message: Uint8Array, limits: DecodeLimits): Frame<Received>[] {
  const bytes = new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  const frames: Frame<Received>[] = [];
  for (let at = 0; at < bytes.length; ) {
    const scanned = scanFrame(bytes, at, limits);
    frames.push(readFrame(bytes, at, scanned));
    at = scanned.end;
  }
  return frames;
}

/** Returns the value that arrived. Throws like `deserialize`. */
export function unpackValue({ plain, annotations }: Received, receive?: AttachmentReceiver): unknown {
  return annotations === undefined ? plain : deserialize(plain, annotations, receive);
}

interface ScannedFrame {
  readonly schema: FrameSchema;
  readonly end: number;
  /** Whether its bytes need no copy. */
  readonly isInPlace: boolean;
}

function scanFrame(bytes: Uint8Array, start: number, limits: DecodeLimits): ScannedFrame {
  const { length, from } = readArrayHeader(bytes, start);
  const schema = frameSchemas[bytes[from]!];
  if (!schema) throw protocolError("malformed data");
  const { valueAt, elements } = schema;
  const annotationsAt = valueAt < 0 ? -1 : elements.length;
  const budget = { depth: 0, containers: maxContainers };
  let at = from;
  let size = 0;
  // The reassembler copies the bytes of a part.
  let isInPlace = schema === frameSchemas[Kind.part];
  for (let index = 0; index < length; index++) {
    budget.depth = index === valueAt ? limits.depth : maxFieldDepth;
    const end = endOfValue(bytes, at, budget);
    if (index === valueAt || index === annotationsAt) size += end - at;
    // Bytes that are most of their message keep little else in memory, and share it with no other value.
    if (index === valueAt) isInPlace = isBin(bytes[at]) && (end - at) * 2 > bytes.buffer.byteLength;
    at = end;
  }
  const maxSize = Math.min(limits.value, schema.maxValue);
  if (size > maxSize) throw protocolError(`a value of more than ${maxSize} bytes`);
  if (schema === frameSchemas[Kind.hello] && at - start > maxHelloSize) throw protocolError("more than is allowed");
  return { schema, end: at, isInPlace };
}

function isBin(token: number | undefined): boolean {
  return token === 0xc4 || token === 0xc5 || token === 0xc6;
}

function readFrame(bytes: Uint8Array, start: number, { schema, end, isInPlace }: ScannedFrame): Frame<Received> {
  const { valueAt, elements } = schema;
  const frame: unknown[] = (isInPlace ? inPlaceUnpackr : copyingUnpackr).unpack(bytes, { start, end });
  const annotations = valueAt > 0 && frame.length === elements.length + 1 ? frame.pop() : undefined;
  if (!matches(schema, frame)) throw protocolError("malformed data");
  if (valueAt > 0 && valueAt < frame.length) {
    frame[valueAt] = { plain: frame[valueAt], annotations, size: end - start } satisfies Received;
  }
  return frame as unknown as Frame<Received>;
}

// A view of shared memory can change at any time, and a platform may refuse to send it.
function isLargeChunk(value: unknown): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array && value.length >= maxMessageSize / 2 && value.buffer instanceof ArrayBuffer;
}
