/** One step from a container to what it holds: an array's index or an object's key. */
export type Step = string | number;

/** Where in a value something stands. */
export type Path = readonly Step[];

/**
 * What plain msgpack cannot say about the place at `path`, beside the plain form that stands there. Annotations are in the
 * order of building: what is inside a place is told before the place itself.
 */
export type Annotation = readonly [path: Path, kind: AnnotationKind, detail?: unknown];

/**
 * Kinds and their plain forms: `undefined` and `hole` (a place that an array skips): nil · `text` (a string that UTF-8
 * or a decoder would alter): bin of UTF-16LE · `BigInt`: str, hexadecimal with its sign · `Date`: ms since 1970, nil
 * when invalid · `Set`: array · `Map`, and `Object` with keys that a msgpack map must not have: array of pairs ·
 * `ArrayBuffer`, `DataView` and typed arrays: bin, little endian · `stream` and `blob`: nil, with a detail.
 */
export type AnnotationKind =
  | "undefined"
  | "hole"
  | "text"
  | "BigInt"
  | "Date"
  | "Set"
  | "Map"
  | "Object"
  | "ArrayBuffer"
  | ViewKind
  | AttachmentKind;

/** What is told in frames of its own, and only announced inside a value. */
export type AttachmentKind = "stream" | "blob";

/** The views on bytes that need a annotation; a Uint8Array is plain. */
export const viewKinds = [
  "DataView",
  "Int8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "BigInt64Array",
  "BigUint64Array",
  "Float16Array",
  "Float32Array",
  "Float64Array",
] as const;

/** One of {@link viewKinds}. */
export type ViewKind = (typeof viewKinds)[number];

// A decoder takes U+FEFF at the start for a byte order mark and drops it.
const altered = /^\uFEFF|\p{Surrogate}/u;

/** Whether `text` arrives as it is when it travels as plain UTF-8. */
export function isPlainText(text: string): boolean {
  return !altered.test(text);
}

/** Whether a msgpack map may have `key`: decoders in JavaScript cannot be trusted with `__proto__`. */
export function isPlainKey(key: string): boolean {
  return key !== "__proto__" && isPlainText(key);
}
