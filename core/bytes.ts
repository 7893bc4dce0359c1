import { encodeText } from "./encode-text.ts";

/** Bytes as the platform's cryptography takes them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Joins byte strings. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Whether two byte strings are the same. Takes no secret apart: all that is compared has been signed or sent. */
export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Writes `value`, a whole number from 0 up to 2⁵³, as `size` bytes, big-endian. */
export function integer(value: number, size: 1 | 2 | 4 | 8): Bytes {
  const bytes = new Uint8Array(size);
  for (let index = size - 1, rest = value; index >= 0; index--, rest = Math.floor(rest / 256))
    bytes[index] = rest % 256;
  return bytes;
}

/** Reads a big-endian whole number. */
export function readInteger(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** Encodes well-formed text as UTF-8. Throws `RangeError` for text with lone surrogates, which UTF-8 cannot carry. */
export function utf8(text: string): Bytes {
  if (!text.isWellFormed()) throw new RangeError("The text has a lone surrogate.");
  return encodeText(text);
}

/** A text behind its length: `str` of docs/protocol.md. */
export function prefixed(text: string): Bytes {
  const bytes = utf8(text);
  return concat(integer(bytes.length, 2), bytes);
}

/** The bytes that begin each signed or hashed text, so that it has one meaning. */
export function label(name: string): Bytes {
  return encodeText(`bonevalue ${name} 1\0`);
}

/** Encodes base64url without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** Decodes base64url without padding. Returns `undefined` for other characters, lengths and non-zero trailing bits. */
export function fromBase64Url(text: string): Bytes | undefined {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const decoded = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(decoded, (character) => character.charCodeAt(0));
  return toBase64Url(bytes) === text ? bytes : undefined;
}
