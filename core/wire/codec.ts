import { Unpackr } from "msgpackr/unpack";
import type { Annotation } from "./annotations.ts";
import type { Chunks } from "./concat-bytes.ts";
import { type AttachmentReceiver, deserialize } from "./deserialize.ts";
import { type FrameSchema, frameSchemas, matches } from "./frame-schema.ts";
import { type Frame, Kind, maxMessageSize } from "./frames.ts";
import { protocolError } from "./protocol-error.ts";
import { endOfValue, maxContainers, readArrayHeader } from "./scan.ts";
import { type SerializeOptions, serialize, tooLarge } from "./serialize.ts";
import { beginWrite, finishWrite, writeArrayHeader, writeBytesHeader, writeRaw, writeValue } from "./writer.ts";

/** A value as bytes, from the moment of the call: packed once, and sent in as many frames as there are peers. */
export interface Packed {
  readonly bytes: Uint8Array;
  /** Bytes that follow and were not copied: only an item has any, and it ends with them. */
  readonly tail?: Uint8Array<ArrayBuffer> | undefined;
  readonly annotations: readonly Annotation[];
  readonly annotationBytes?: Uint8Array | undefined;
  /** Bytes that the value takes in a frame, annotations included. */
  readonly size: number;
  /** Whether it announces streams or blobs. */
  readonly hasAttachments: boolean;
}

/** A value as it arrived; `unpackValue` makes the value. */
export interface Received {
  readonly plain: unknown;
  readonly annotations: unknown;
  /** Bytes of the whole frame that brought it: what credit counts. */
  readonly size: number;
}

/** What a receiver takes. */
export interface DecodeLimits {
  /** Most bytes of one value, annotations included. */
  readonly value: number;
  /** Most containers inside each other in one value. */
  readonly depth: number;
}

const plainMsgpack = { useRecords: false, mapsAsObjects: true } as const;

// An integer beyond ±2⁵³, which JavaScript never sends, arrives as a BigInt: nothing is lost. msgpackr's types lack "auto".
const values = Object.assign(new Unpackr({ ...plainMsgpack, copyBuffers: true }), { int64AsType: "auto" });
const views = Object.assign(new Unpackr({ ...plainMsgpack, copyBuffers: false }), { int64AsType: "auto" });

// Hellos are read before anything is known of the peer.
const largestHello = 4_096;
// Annotations, hellos and signals nest less than this.
const envelopeDepth = 16;

/** The bytes of `value` at this moment. Throws as `toPlain` does, and `too-large` when they are more than `size`. */
export function pack(value: unknown, outgoing: SerializeOptions): Packed {
  const { plain, annotations } = serialize(value, outgoing);
  const packed = withAnnotations(msgpack(plain), annotations);
  if (packed.size > outgoing.size) throw tooLarge(outgoing);
  return packed;
}

/** As `pack`, but bytes that make a message of their own are left where they are: its item is sent as it is written. */
export function packItem(value: unknown, outgoing: SerializeOptions): Packed {
  if (!isBytes(value) || value.length < maxMessageSize / 2) return pack(value, outgoing);
  beginWrite();
  writeBytesHeader(value.length);
  const bytes = finishWrite();
  const size = bytes.length + value.length;
  if (size > outgoing.size) throw tooLarge(outgoing);
  return { bytes, tail: value, annotations: [], size, hasAttachments: false };
}

/** The same value with the details of its streams and blobs replaced, for another peer that numbers them anew. */
export function mapAttachments(packed: Packed, address: (detail: unknown) => unknown): Packed {
  const readdressed = packed.annotations.map(
    (annotation): Annotation =>
      isAttachment(annotation) ? [annotation[0], annotation[1], address(annotation[2])] : annotation,
  );
  return withAnnotations(packed.bytes, readdressed);
}

/** One frame as the bytes that cross the wire, in pieces. */
export function encodeChunks(frame: Frame<Packed>): Chunks {
  const head = encode(frame);
  return frame[0] === Kind.item && frame[2].tail ? [head, frame[2].tail] : [head];
}

/** One frame as the bytes that cross the wire, but for the tail of an item. */
export function encode(frame: Frame<Packed>): Uint8Array<ArrayBuffer> {
  const at = frameSchemas[frame[0]]?.value ?? frame.length;
  const value = frame[at] as Packed | undefined;
  beginWrite();
  writeArrayHeader(frame.length + (value?.annotationBytes ? 1 : 0));
  for (let index = 0; index < frame.length; index++) {
    if (index === at) writeRaw(value!.bytes);
    else writeValue(frame[index]);
  }
  if (value?.annotationBytes) writeRaw(value.annotationBytes);
  return finishWrite();
}

/** What stands before the `length` bytes of a part. */
export function encodePartHeader(slot: number, rest: number, length: number): Uint8Array<ArrayBuffer> {
  beginWrite();
  writeArrayHeader(4);
  for (const element of [Kind.part, slot, rest]) writeValue(element);
  writeBytesHeader(length);
  return finishWrite();
}

/**
 * The frames of one message, or of one value that came in parts. The bytes are scanned before anything is built from
 * them. Throws `protocol` for the whole message if anything in it is malformed or goes beyond a limit.
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

/** The value that arrived. Throws `protocol` where its annotations are malformed; see `restore`. */
export function unpackValue({ plain, annotations }: Received, receive?: AttachmentReceiver): unknown {
  return annotations === undefined ? plain : deserialize(plain, annotations, receive);
}

interface Scanned {
  readonly shape: FrameSchema;
  readonly end: number;
  /** Whether its bytes may stay where they are. */
  readonly inPlace: boolean;
}

function scanFrame(bytes: Uint8Array, start: number, limits: DecodeLimits): Scanned {
  const { length, from } = readArrayHeader(bytes, start);
  const shape = frameSchemas[bytes[from] ?? 0xff];
  if (!shape) throw protocolError("a frame of a kind that this version does not know");
  const notesAt = shape.value === undefined ? undefined : shape.fields.length + 1;
  let at = from;
  let size = 0;
  const room = { depth: 0, containers: maxContainers };
  // The bytes of a part are copied where the value is put together.
  let inPlace = shape === frameSchemas[Kind.part];
  for (let index = 0; index < length; index++) {
    room.depth = index === shape.value ? limits.depth : envelopeDepth;
    const end = endOfValue(bytes, at, room);
    if (index === shape.value || index === notesAt) size += end - at;
    // Bytes that are most of what is in memory with them keep little else there, and share it with no other value.
    if (index === shape.value) inPlace = isBin(bytes[at]) && (end - at) * 2 > bytes.buffer.byteLength;
    at = end;
  }
  if (size > limits.value)
    throw protocolError(`a value of ${size} bytes, more than the ${limits.value} that it was told`);
  if (shape === frameSchemas[Kind.hello] && at - start > largestHello) throw protocolError("a hello that is too long");
  return { shape, end: at, inPlace };
}

function isBin(token: number | undefined): boolean {
  return token === 0xc4 || token === 0xc5 || token === 0xc6;
}

function readFrame(bytes: Uint8Array, start: number, { shape, end, inPlace }: Scanned): Frame<Received> {
  const frame: unknown[] = (inPlace ? views : values).unpack(bytes, { start, end });
  const annotations = shape.value !== undefined && frame.length === shape.fields.length + 2 ? frame.pop() : undefined;
  if (!matches(shape, frame)) throw protocolError("a frame that is malformed");
  if (shape.value !== undefined && shape.value < frame.length) {
    frame[shape.value] = { plain: frame[shape.value], annotations, size: end - start } satisfies Received;
  }
  return frame as unknown as Frame<Received>;
}

function withAnnotations(bytes: Uint8Array, annotations: readonly Annotation[]): Packed {
  const annotationBytes = annotations.length > 0 ? msgpack(annotations) : undefined;
  const size = bytes.length + (annotationBytes?.length ?? 0);
  return { bytes, annotations, annotationBytes, size, hasAttachments: annotations.some(isAttachment) };
}

function isBytes(value: unknown): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer;
}

function isAttachment([, kind]: Annotation): boolean {
  return kind === "stream" || kind === "blob";
}

function msgpack(plain: unknown): Uint8Array<ArrayBuffer> {
  beginWrite();
  writeValue(plain);
  return finishWrite();
}
