/** One step into a container: an array's index or an object's key. */
export type Step = string | number;

/** The position of something inside a value. */
export type Path = readonly Step[];

/**
 * States that the plain msgpack data at `path` stands for a value that msgpack cannot express. The annotations of a
 * value are in the order of building: those inside a container come before the container's own.
 */
export type Annotation = readonly [path: Path, kind: AnnotationKind, detail?: unknown];

/** Anything that an annotation can state. */
export type AnnotationKind = OtherKind | BuiltInKind | ViewName | AttachmentKind;

type OtherKind = "undefined" | "hole" | "text" | "BigInt" | "Object";
type BuiltInKind = "Date" | "Set" | "Map" | "ArrayBuffer";

/** Values whose content travels in frames of its own. Their plain form is nil, and the annotation has a detail. */
export type AttachmentKind = "stream" | "blob";

/** How values of one kind are taken apart and put together. */
export interface ValueKind {
  /** Returns the plain form of a value of this kind. An array may hold values that are not plain yet. */
  toPlainForm(value: any): unknown;
  /** Whether `plain`, which the peer sent, is a valid plain form. */
  isValid(plain: unknown): boolean;
  /** Returns the value for a valid plain form, or {@link unavailable}. */
  fromPlainForm(plain: any): unknown;
}

/** Stands for a view that this runtime does not have. */
export const unavailable: unique symbol = Symbol();

/** The views on bytes that need an annotation; a Uint8Array is plain. */
export const viewNames = [
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

type ViewName = (typeof viewNames)[number];

interface ViewConstructor {
  new (bytes: ArrayBuffer): ArrayBufferView;
  /** A DataView has none. */
  readonly BYTES_PER_ELEMENT?: number;
}

const viewConstructors: Partial<Record<ViewName, ViewConstructor>> = globalThis;

// The two tables of kinds. Plain forms of bytes are little endian, as typed arrays are on every platform in use.

/** Kinds that are recognized by `typeof` or by their container. */
const otherKinds: Readonly<Record<OtherKind, ValueKind>> = {
  undefined: kind<undefined, null>(
    () => undefined,
    isNull,
    () => undefined,
  ),
  /** An element that an array skips. */
  hole: kind<undefined, null>(
    () => undefined,
    isNull,
    () => undefined,
  ),
  /** A string that UTF-8, or its decoder, would alter: as UTF-16. */
  text: kind<string, Uint8Array>(toUtf16, (plain) => isBytes(plain) && plain.length % 2 === 0, fromUtf16),
  /** Hexadecimal, with its sign. */
  BigInt: kind<bigint, string>(
    (value) => value.toString(16),
    (plain) => typeof plain === "string" && /^-?[0-9a-f]+$/.test(plain),
    (plain) => (plain[0] === "-" ? -BigInt(`0x${plain.slice(1)}`) : BigInt(`0x${plain}`)),
  ),
  /** An object with a key that a msgpack map must not have. `fromEntries` makes `__proto__` a field like any other. */
  Object: kind<object, [string, unknown][]>(
    Object.entries,
    (plain) => isPairs(plain) && plain.every(([key]) => typeof key === "string"),
    Object.fromEntries,
  ),
};

/** Kinds that are recognized by their type tag. */
const builtInKinds: Readonly<Record<BuiltInKind, ValueKind>> = {
  /** In ms since 1970; null for an invalid date. */
  Date: kind<Date, number | null>(
    (date) => (Number.isNaN(date.getTime()) ? null : date.getTime()),
    (plain) => plain === null || (typeof plain === "number" && new Date(plain).getTime() === plain),
    (plain) => new Date(plain ?? Number.NaN),
  ),
  Set: kind<Set<unknown>, unknown[]>(
    (set) => [...set],
    Array.isArray,
    (plain) => new Set(plain),
  ),
  Map: kind<Map<unknown, unknown>, [unknown, unknown][]>(
    (map) => [...map],
    isPairs,
    (plain) => new Map(plain),
  ),
  ArrayBuffer: kind<ArrayBuffer, Uint8Array>((buffer) => new Uint8Array(buffer), isBytes, copyOf),
};

const builtIns: ReadonlyMap<unknown, ValueKind> = new Map<unknown, ValueKind>([
  ...Object.entries(builtInKinds),
  ...viewNames.map((name) => [name, viewKind(name)] as const),
]);
const allKinds: ReadonlyMap<unknown, ValueKind> = new Map([...builtIns, ...Object.entries(otherKinds)]);

/** The kind of an object with this type tag, if it is a built-in type that can be sent. */
export function builtInKind(tag: string): ValueKind | undefined {
  return builtIns.get(tag);
}

/** The kind with this name, if there is one. `stream` and `blob` are none. */
export function kindNamed(name: unknown): ValueKind | undefined {
  return allKinds.get(name);
}

/** Returns the bytes of `view`, without copying them. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Whether `text` stays the same when it travels as plain UTF-8. */
export function isPlainText(text: string): boolean {
  return !altered.test(text);
}

// A decoder drops U+FEFF at the start, which it reads as a byte order mark.
const altered = /^\uFEFF|\p{Surrogate}/u;

function kind<Value, Plain>(
  toPlainForm: (value: Value) => unknown,
  isValid: (plain: unknown) => boolean,
  fromPlainForm: (plain: Plain) => unknown,
): ValueKind {
  return { toPlainForm, isValid, fromPlainForm };
}

function viewKind(name: ViewName): ValueKind {
  return kind<ArrayBufferView, Uint8Array>(
    bytesOf,
    (plain) => isBytes(plain) && plain.length % (viewConstructors[name]?.BYTES_PER_ELEMENT ?? 1) === 0,
    (plain) => {
      const View = viewConstructors[name];
      return View ? new View(copyOf(plain)) : unavailable;
    },
  );
}

function isNull(plain: unknown): boolean {
  return plain === null;
}

function isBytes(plain: unknown): plain is Uint8Array {
  return plain instanceof Uint8Array;
}

function isPairs(plain: unknown): plain is [unknown, unknown][] {
  return Array.isArray(plain) && plain.every((item) => Array.isArray(item) && item.length === 2);
}

// The received bytes may begin anywhere in memory, and views need an aligned start.
function copyOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function toUtf16(text: string): Uint8Array {
  const units = Uint16Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
  return bytesOf(units);
}

function fromUtf16(bytes: Uint8Array): string {
  let text = "";
  for (const unit of new Uint16Array(copyOf(bytes))) text += String.fromCharCode(unit);
  return text;
}
