// msgpack, as its specification has it: every value in the shortest form that it has there.

// An ArrayBuffer costs more than writing what goes into it: small results share one, as Node's Buffers do.
const sharedSize = 16 * 1_024;
const largestShare = 2 * 1_024;

let shared = new Uint8Array(sharedSize);
let sharedEnd = 0;

// What is being written, one at a time: `bytes` from `start` to `end`.
let bytes = shared;
let start = 0;
let end = 0;

const encoder = new TextEncoder();
const float = new DataView(new ArrayBuffer(8));

/** Begins a new result. One that was begun and not finished is forgotten. */
export function beginWrite(): void {
  bytes = shared;
  start = end = sharedEnd;
}

/** What was written since `begin`, in memory that nobody writes to again. */
export function finishWrite(): Uint8Array<ArrayBuffer> {
  if (bytes !== shared) return end === bytes.length ? bytes : bytes.slice(0, end);
  if (end - start > largestShare) return bytes.slice(start, end);
  sharedEnd = end;
  return bytes.subarray(start, end);
}

/** Writes the head of an array; its elements follow. */
export function writeArrayHeader(length: number): void {
  writeHead(length, 0x90, 16, undefined, 0xdc);
}

/** Writes the head of bytes; they follow. */
export function writeBytesHeader(length: number): void {
  writeHead(length, undefined, 0, 0xc4, 0xc5);
}

/** Writes what is msgpack already. */
export function writeRaw(packed: Uint8Array): void {
  reserve(packed.length);
  bytes.set(packed, end);
  end += packed.length;
}

/** Writes plain data: null and undefined alike, booleans, numbers, texts, bytes, and arrays and objects of these. */
export function writeValue(value: unknown): void {
  if (typeof value === "string") writeText(value);
  else if (typeof value === "number") writeNumber(value);
  else if (typeof value === "boolean") writeByte(value ? 0xc3 : 0xc2);
  else if (value === null || value === undefined) writeByte(0xc0);
  else if (value instanceof Uint8Array) writeBytes(value);
  else if (Array.isArray(value)) writeArray(value);
  else writeMap(value as Readonly<Record<string, unknown>>);
}

function writeArray(array: readonly unknown[]): void {
  writeArrayHeader(array.length);
  for (let index = 0; index < array.length; index++) writeValue(array[index]);
}

function writeMap(map: Readonly<Record<string, unknown>>): void {
  const keys = Object.keys(map);
  writeHead(keys.length, 0x80, 16, undefined, 0xde);
  for (const key of keys) {
    writeText(key);
    writeValue(map[key]);
  }
}

function writeBytes(value: Uint8Array): void {
  writeBytesHeader(value.length);
  writeRaw(value);
}

function writeNumber(value: number): void {
  if (value >>> 0 === value) {
    if (value < 0x80) writeByte(value);
    else writeHead(value, undefined, 0, 0xcc, 0xcd);
  } else if (value >> 0 === value) {
    writeNegative(value);
  } else {
    float.setFloat64(0, value);
    writeByte(0xcb);
    for (let at = 0; at < 8; at++) writeByte(float.getUint8(at));
  }
}

function writeNegative(value: number): void {
  if (value >= -0x20) writeByte(value);
  else if (value >= -0x80) writeUint(0xd0, value, 1);
  else if (value >= -0x8000) writeUint(0xd1, value, 2);
  else writeUint(0xd2, value, 4);
}

// Where a text is ASCII, a loop is quicker up to this length than the encoder, whose bytes are an ArrayBuffer of their own.
const shortText = 256;

function writeText(text: string): void {
  if (text.length > shortText || !writeAscii(text)) writeUtf8(text);
}

/** Whether the text was ASCII; if not, nothing was written. */
function writeAscii(text: string): boolean {
  // What is written may move when room is made for more.
  const before = end - start;
  writeTextHead(text.length);
  reserve(text.length);
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) {
      end = start + before;
      return false;
    }
    bytes[end++] = unit;
  }
  return true;
}

function writeUtf8(text: string): void {
  const encoded = encoder.encode(text);
  writeTextHead(encoded.length);
  writeRaw(encoded);
}

function writeTextHead(length: number): void {
  writeHead(length, 0xa0, 32, 0xd9, 0xda);
}

/**
 * Writes a length or a number: inside the token `fix` if it is below `fixEnd`, else behind the token of one byte, if there
 * is one, of two, or of four, which is the next.
 */
function writeHead(
  length: number,
  fix: number | undefined,
  fixEnd: number,
  oneByte: number | undefined,
  twoBytes: number,
): void {
  if (fix !== undefined && length < fixEnd) writeByte(fix | length);
  else if (oneByte !== undefined && length < 0x100) writeUint(oneByte, length, 1);
  else if (length < 0x10000) writeUint(twoBytes, length, 2);
  else writeUint(twoBytes + 1, length, 4);
}

function writeUint(token: number, value: number, width: number): void {
  writeByte(token);
  for (let shift = 8 * (width - 1); shift >= 0; shift -= 8) writeByte(value >>> shift);
}

function writeByte(byte: number): void {
  reserve(1);
  bytes[end++] = byte;
}

function reserve(more: number): void {
  if (end + more <= bytes.length) return;
  const written = bytes.subarray(start, end);
  const needed = written.length + more;
  if (needed <= largestShare) bytes = shared = new Uint8Array(sharedSize);
  // What is large is mostly one piece, which then fits exactly.
  else bytes = new Uint8Array(more > written.length ? needed : 2 * needed);
  bytes.set(written);
  start = 0;
  end = written.length;
}
