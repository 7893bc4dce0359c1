import { protocolError } from "./protocol-error.ts";

/** What a value may hold yet: arrays and maps inside each other, and in all. */
export interface ScanBudget {
  depth: number;
  containers: number;
}

/** Most arrays and maps of one value: an empty one takes a byte of the wire, and fifty of memory. */
export const maxContainers: number = 1_048_576;

/**
 * Where the msgpack value that begins at `at` ends; walks its bytes and builds nothing. Throws `protocol` for what
 * would be dangerous or misread: bytes that end too early, counts and lengths beyond them, ext types, the unused 0xc1,
 * maps with other keys than strings or with the key `__proto__`, and more containers than there is room for.
 */
export function endOfValue(bytes: Uint8Array, at: number, room: ScanBudget): number {
  const token = bytes[at];
  if (token === undefined) throw cutShort();
  if (token < 0x80 || token >= 0xe0) return at + 1;
  if (token < 0x90) return endOfItems(bytes, at + 1, token & 0x0f, room, true);
  if (token < 0xa0) return endOfItems(bytes, at + 1, token & 0x0f, room, false);
  if (token < 0xc0) return within(bytes, at + 1, token & 0x1f);
  const width = widths[token - 0xc0];
  if (width === undefined)
    throw protocolError("an extension type or an unknown token, which the protocol does not use");
  if (width >= 0) return within(bytes, at + 1, width);
  const length = uint(bytes, at + 1, -width);
  const from = at + 1 - width;
  if (token < 0xdc) return within(bytes, from, length);
  return endOfItems(bytes, from, length, room, token >= 0xde);
}

/** How many items the array at `at` has and where the first begins. Throws `protocol` where there is no array. */
export function readArrayHeader(bytes: Uint8Array, at: number): { readonly length: number; readonly from: number } {
  const token = bytes[at];
  if (token !== undefined && token >= 0x90 && token < 0xa0) return { length: token & 0x0f, from: at + 1 };
  if (token === 0xdc) return { length: uint(bytes, at + 1, 2), from: at + 3 };
  if (token === 0xdd) return { length: uint(bytes, at + 1, 4), from: at + 5 };
  throw protocolError("something that is no frame");
}

// For each token from 0xc0 on: the bytes that follow it, or, negative, the width of the length or count that follows.
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

function endOfItems(bytes: Uint8Array, from: number, count: number, room: ScanBudget, map: boolean): number {
  if (room.depth === 0) throw protocolError("a value that is nested deeper than allowed");
  if (room.containers === 0) throw protocolError("a value of more arrays and maps than allowed");
  room.depth--;
  room.containers--;
  // Every item takes a byte at least: memory is given for what has arrived, not for what is announced.
  within(bytes, from, map ? count * 2 : count);
  let at = from;
  for (let index = 0; index < count; index++) {
    if (map) at = endOfKey(bytes, at, room);
    at = endOfValue(bytes, at, room);
  }
  room.depth++;
  return at;
}

function endOfKey(bytes: Uint8Array, at: number, room: ScanBudget): number {
  const token = bytes[at] ?? 0;
  const fixed = token >= 0xa0 && token < 0xc0;
  if (!fixed && !(token >= 0xd9 && token <= 0xdb)) throw protocolError("a map with a key that is no string");
  const end = endOfValue(bytes, at, room);
  const from = at + 1 - (fixed ? 0 : (widths[token - 0xc0] as number));
  if (end - from === proto.length && proto.every((byte, index) => bytes[from + index] === byte)) {
    throw protocolError("a map with the key __proto__, which belongs in a annotation");
  }
  return end;
}

const proto = new TextEncoder().encode("__proto__");

function uint(bytes: Uint8Array, at: number, width: number): number {
  within(bytes, at, width);
  let value = 0;
  for (let index = 0; index < width; index++) value = value * 256 + (bytes[at + index] as number);
  return value;
}

function within(bytes: Uint8Array, from: number, length: number): number {
  if (length > bytes.length - from) throw cutShort();
  return from + length;
}

function cutShort() {
  return protocolError("a message that ends in the middle of a frame");
}
