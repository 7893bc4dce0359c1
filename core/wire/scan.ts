import { protocolError } from "./protocol-error.ts";

// Checks msgpack before anything is built from it, so that a hostile message costs no more memory than its own bytes:
// the decoder that runs afterwards cannot read beyond the message, allocate for elements that are only announced, or
// recurse too deeply. https://github.com/msgpack/msgpack/blob/master/spec.md#formats

/** How many arrays and maps a value may still hold: inside each other, and in all. */
export interface ScanBudget {
  depth: number;
  containers: number;
}

/**
 * Returns where the msgpack value that begins at `at` ends. Throws `protocol` for bytes that end too early, counts and
 * lengths beyond them, ext types, the unused 0xc1, maps with keys that are not strings or are `__proto__`, and more
 * containers than the budget has left.
 */
export function endOfValue(bytes: Uint8Array, at: number, budget: ScanBudget): number {
  const token = bytes[at];
  if (token === undefined) throw protocolError("malformed data");
  if (token < 0x80 || token >= 0xe0) return at + 1;
  if (token < 0x90) return endOfItems(bytes, at + 1, token & 0x0f, budget, true);
  if (token < 0xa0) return endOfItems(bytes, at + 1, token & 0x0f, budget, false);
  if (token < 0xc0) return skip(bytes, at + 1, token & 0x1f);
  const width = widths[token - 0xc0];
  if (width === undefined) throw protocolError("malformed data");
  if (width >= 0) return skip(bytes, at + 1, width);
  const length = readUint(bytes, at + 1, -width);
  const from = at + 1 - width;
  if (token < 0xdc) return skip(bytes, from, length);
  return endOfItems(bytes, from, length, budget, token >= 0xde);
}

/** Returns how many items the array at `at` has, and where the first begins. Throws `protocol` for anything else. */
export function readArrayHeader(bytes: Uint8Array, at: number): { readonly length: number; readonly from: number } {
  const token = bytes[at]!;
  if (token >= 0x90 && token < 0xa0) return { length: token & 0x0f, from: at + 1 };
  if (token !== 0xdc && token !== 0xdd) throw protocolError("malformed data");
  const width = token === 0xdc ? 2 : 4;
  return { length: readUint(bytes, at + 1, width), from: at + 1 + width };
}

// By token, from 0xc0 on: how many bytes follow it or, if negative, how wide the length or count is that follows it.
const widths: readonly (number | undefined)[] = [
  ...[0, undefined, 0, 0], // nil, unused, false, true
  ...[-1, -2, -4], // bin
  ...[undefined, undefined, undefined], // ext
  ...[4, 8], // float
  ...[1, 2, 4, 8], // uint
  ...[1, 2, 4, 8], // int
  ...[undefined, undefined, undefined, undefined, undefined], // fixext
  ...[-1, -2, -4], // str
  ...[-2, -4], // array
  ...[-2, -4], // map
];

function endOfItems(bytes: Uint8Array, from: number, count: number, budget: ScanBudget, isMap: boolean): number {
  if (!budget.depth || !budget.containers) throw protocolError("more than is allowed");
  budget.depth--;
  budget.containers--;
  // Every item takes at least one byte, so this bounds the loop by the bytes that have arrived.
  skip(bytes, from, isMap ? count * 2 : count);
  let at = from;
  for (let index = 0; index < count; index++) {
    if (isMap) at = endOfKey(bytes, at, budget);
    at = endOfValue(bytes, at, budget);
  }
  budget.depth++;
  return at;
}

function endOfKey(bytes: Uint8Array, at: number, budget: ScanBudget): number {
  const token = bytes[at] ?? 0;
  const isShort = token >= 0xa0 && token < 0xc0;
  const isText = isShort || (token >= 0xd9 && token <= 0xdb);
  const end = endOfValue(bytes, at, budget);
  const from = at + 1 - (isShort ? 0 : (widths[token - 0xc0] ?? 0));
  const isProto = end - from === 9 && String.fromCharCode(...bytes.subarray(from, end)) === "__proto__";
  if (!isText || isProto) throw protocolError("malformed data");
  return end;
}

function readUint(bytes: Uint8Array, at: number, width: number): number {
  skip(bytes, at, width);
  let value = 0;
  for (let index = 0; index < width; index++) value = value * 256 + bytes[at + index]!;
  return value;
}

/** Returns the position `length` bytes after `from`, which must not lie beyond the end. */
function skip(bytes: Uint8Array, from: number, length: number): number {
  if (length > bytes.length - from) throw protocolError("malformed data");
  return from + length;
}
