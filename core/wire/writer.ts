import { encodeText } from "../encode-text.ts";

// Writes msgpack (https://github.com/msgpack/msgpack/blob/master/spec.md): each value in its shortest form.
//
// A call of `beginWrite`, any number of writes and a call of `finishWrite` make one result. They share the state below,
// so that a write costs no allocation: `bytes` from `start` to `end` is the current result.

// To allocate an ArrayBuffer takes longer than to fill it, so small results share one, as Node's Buffers do.
const sharedSize = 16 * 1_024;
const maxSharedResult = 2 * 1_024;

let shared = new Uint8Array(sharedSize);
let sharedEnd = 0;
let bytes = shared;
let start = 0;
let end = 0;

const float = new DataView(new ArrayBuffer(8));

/** Begins a new result. Discards an unfinished one. */
export function beginWrite(): void {
  bytes = shared;
  start = end = sharedEnd;
}

/** Returns the bytes written since `beginWrite`. Their memory is never written to again. */
export function finishWrite(): Uint8Array<ArrayBuffer> {
  if (bytes !== shared) return end === bytes.length ? bytes : bytes.slice(0, end);
  if (end - start > maxSharedResult) return bytes.slice(start, end);
  sharedEnd = end;
  return bytes.subarray(start, end);
}

/** Writes the header of an array. Its elements follow. */
export function writeArrayHeader(length: number): void {
  writeHeader(length, 0x90, 16, 0, 0xdc);
}

/** Writes the header of bytes. They follow. */
export function writeBytesHeader(length: number): void {
  writeHeader(length, 0, 0, 0xc4, 0xc5);
}

/** Writes bytes that are msgpack already. */
export function writeRaw(packed: Uint8Array): void {
  reserve(packed.length);
  bytes.set(packed, end);
  end += packed.length;
}

/** Writes plain data: null or undefined as nil, booleans, numbers, strings, bytes, and arrays and objects of these. */
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
  writeHeader(keys.length, 0x80, 16, 0, 0xde);
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
    writeHeader(value, 0, 0x80, 0xcc, 0xcd);
  } else if (value >> 0 === value) {
    writeNegative(value);
  } else {
    float.setFloat64(0, value);
    writeByte(0xcb);
    for (let index = 0; index < 8; index++) writeByte(float.getUint8(index));
  }
}

function writeNegative(value: number): void {
  if (value >= -0x20) writeByte(value);
  else if (value >= -0x80) writeUint(0xd0, value, 1);
  else if (value >= -0x8000) writeUint(0xd1, value, 2);
  else writeUint(0xd2, value, 4);
}

// Up to this length a loop writes ASCII faster than a TextEncoder does, which allocates an ArrayBuffer.
const maxLoopLength = 256;

function writeText(text: string): void {
  if (text.length > maxLoopLength || !writeAscii(text)) writeUtf8(text);
}

/** Returns `false`, and writes nothing, unless the text is ASCII. */
function writeAscii(text: string): boolean {
  // `reserve` may move the current result.
  const before = end - start;
  writeTextHeader(text.length);
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
  const encoded = encodeText(text);
  writeTextHeader(encoded.length);
  writeRaw(encoded);
}

function writeTextHeader(length: number): void {
  writeHeader(length, 0xa0, 32, 0xd9, 0xda);
}

/**
 * Writes a length or a number: inside the token `fix` below `fixEnd`, else after the token for one byte, for two bytes, or
 * for four, which is the one after it. `fixEnd` and `oneByte` are 0 for types without such a token.
 */
function writeHeader(length: number, fix: number, fixEnd: number, oneByte: number, twoBytes: number): void {
  if (length < fixEnd) writeByte(fix | length);
  else if (oneByte && length < 0x100) writeUint(oneByte, length, 1);
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
  if (needed <= maxSharedResult) bytes = shared = new Uint8Array(sharedSize);
  // A large result is mostly one piece, which then fits exactly.
  else bytes = new Uint8Array(more > written.length ? needed : 2 * needed);
  bytes.set(written);
  start = 0;
  end = written.length;
}
