// An ArrayBuffer costs more than packing what goes into it: small bytes share one, as Node's Buffers do.
const poolSize = 16 * 1_024;
const largestShare = 2 * 1_024;

let pool = new Uint8Array(poolSize);
let used = 0;

/** The bytes, in memory that nobody writes to again. */
export function keep(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.length > largestShare) return new Uint8Array(bytes);
  reserve(bytes.length);
  pool.set(bytes, used);
  return take(used + bytes.length);
}

/**
 * A msgpack array of `head`, an element that is packed already, `tail` and perhaps a last one that is packed already.
 * Nothing where that is large, or where the others are not short ASCII texts, integers from 0 to 2³² − 1 or null.
 */
export function writeArray(
  head: readonly unknown[],
  element: Uint8Array,
  tail: readonly unknown[],
  last: Uint8Array = nothing,
): Uint8Array<ArrayBuffer> | undefined {
  const length = head.length + 1 + tail.length + (last.length > 0 ? 1 : 0);
  const most = 1 + (head.length + tail.length) * (1 + longestText) + element.length + last.length;
  if (length > longestArray || most > largestShare) return undefined;
  reserve(most);
  pool[used] = 0x90 | length;
  const elementAt = writeAll(head, used + 1);
  if (elementAt < 0) return undefined;
  pool.set(element, elementAt);
  const lastAt = writeAll(tail, elementAt + element.length);
  if (lastAt < 0) return undefined;
  pool.set(last, lastAt);
  return take(lastAt + last.length);
}

const nothing = new Uint8Array();
const longestArray = 15;
const longestText = 31;

function reserve(size: number): void {
  if (used + size <= poolSize) return;
  pool = new Uint8Array(poolSize);
  used = 0;
}

function take(end: number): Uint8Array<ArrayBuffer> {
  const taken = pool.subarray(used, end);
  used = end;
  return taken;
}

// These return where what they wrote ends, or a negative number where they cannot write it.

function writeAll(elements: readonly unknown[], at: number): number {
  let end = at;
  for (let index = 0; end >= 0 && index < elements.length; index++) end = write(elements[index], end);
  return end;
}

function write(element: unknown, at: number): number {
  if (typeof element === "number") return writeInteger(element, at);
  if (typeof element === "string") return writeText(element, at);
  if (element !== null) return -1;
  pool[at] = 0xc0;
  return at + 1;
}

function writeInteger(value: number, at: number): number {
  if (value >>> 0 !== value) return -1;
  pool[at] = value;
  if (value < 0x80) return at + 1;
  const [token, width] = value < 0x100 ? [0xcc, 1] : value < 0x10000 ? [0xcd, 2] : [0xce, 4];
  pool[at] = token;
  for (let index = 0; index < width; index++) pool[at + width - index] = value >>> (8 * index);
  return at + 1 + width;
}

function writeText(text: string, at: number): number {
  if (text.length > longestText) return -1;
  pool[at] = 0xa0 | text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) return -1;
    pool[at + 1 + index] = unit;
  }
  return at + 1 + text.length;
}
