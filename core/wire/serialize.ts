import { BonevalueError, type ErrorCode } from "../errors.ts";
import {
  type Annotation,
  type AnnotationKind,
  type AttachmentKind,
  isPlainKey,
  isPlainText,
  type Path,
  type Step,
  viewKinds,
} from "./annotations.ts";
import { maxContainers } from "./scan.ts";

/** A value in the form that crosses the wire: plain msgpack data, and annotations for what that cannot say. */
export interface SerializedValue {
  readonly plain: unknown;
  readonly annotations: readonly Annotation[];
}

/** A stream or a blob inside a value, as its annotation tells it. `detail` is plain msgpack data. */
export interface Attachment {
  readonly kind: AttachmentKind;
  readonly detail: unknown;
}

/** What a value on its way out may be, and how an error speaks of it. */
export interface SerializeOptions {
  /** How messages name the value: `request`, `response`, `item`. */
  readonly name: string;
  /** The code for what cannot be sent; what is too large is always `too-large`. */
  readonly code: ErrorCode;
  /** Most containers inside each other; a Map counts twice. */
  readonly depth: number;
  /** Most bytes once packed. */
  readonly size: number;
  /**
   * Asked about every object that is no data, and every async iterable: how it is announced if it is a stream or a
   * blob, `undefined` if it is refused. Without it all are.
   */
  readonly attach?: ((source: object) => Attachment | undefined) | undefined;
}

/**
 * The plain form of `value`; parts that need no annotation are not copied. As in JSON, symbol keys and an array's further
 * properties are left out, and `-0` becomes `0`. Throws a BonevalueError that names the path of what cannot be sent:
 * functions, symbols, instances of classes, cycles and what is nested too deep with `code`, the rest with `too-large`.
 */
export function serialize(value: unknown, outgoing: SerializeOptions): SerializedValue {
  const walk: Walk = {
    outgoing,
    path: [],
    parents: [],
    annotations: [],
    room: outgoing.size,
    containers: maxContainers - 1,
  };
  return { plain: visit(walk, value), annotations: walk.annotations };
}

interface Walk {
  readonly outgoing: SerializeOptions;
  /** Where the walk is in the plain form, and the containers that it is inside of. */
  readonly path: Step[];
  readonly parents: object[];
  readonly annotations: Annotation[];
  /** Bytes that are left: an endless value is refused before memory is spent on it. */
  room: number;
  /** Arrays and maps that are left. */
  containers: number;
}

function visit(walk: Walk, value: unknown): unknown {
  consume(walk, 1);
  switch (typeof value) {
    case "number":
    case "boolean":
      return value;
    case "string":
      consume(walk, value.length);
      return isPlainText(value) ? value : noted(walk, "text", utf16(value));
    case "undefined":
      return noted(walk, "undefined", undefined);
    case "bigint":
      return noted(walk, "BigInt", value.toString(16));
    case "object":
      return value === null ? null : visitObject(walk, value);
    case "function":
      return refuse(walk, "is a function, which cannot be sent. Offer it as a module and send the module's name.");
    default:
      return refuse(walk, "is a symbol, which cannot be sent. Send its description.");
  }
}

function visitObject(walk: Walk, value: object): unknown {
  if (ArrayBuffer.isView(value)) return visitView(walk, value);
  if (isPlainArray(value)) return inside(walk, value, value, visitArray);
  const prototype: unknown = Object.getPrototypeOf(value);
  // The prototype of plain objects ends its chain, also when it is another window's.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return visitInstance(walk, value, prototype);
  if (Symbol.asyncIterator in value) return visitAttachment(walk, value);
  return visitPlainObject(walk, value as Record<string, unknown>);
}

function visitInstance(walk: Walk, value: object, prototype: unknown): unknown {
  switch (prototype) {
    case Date.prototype: {
      const time = (value as Date).getTime();
      return noted(walk, "Date", Number.isNaN(time) ? null : time);
    }
    case Map.prototype:
      return noted(walk, "Map", inside(walk, value, [...(value as Map<unknown, unknown>)], visitArray));
    case Set.prototype:
      return noted(walk, "Set", inside(walk, value, [...(value as Set<unknown>)], visitArray));
    case ArrayBuffer.prototype:
      return noted(walk, "ArrayBuffer", visitBytes(walk, new Uint8Array(value as ArrayBuffer)));
    default:
      return visitAttachment(walk, value);
  }
}

function visitPlainObject(walk: Walk, object: Record<string, unknown>): unknown {
  if (Object.keys(object).every(isPlainKey)) return inside(walk, object, object, visitFields);
  return noted(walk, "Object", inside(walk, object, Object.entries(object), visitArray));
}

/** Visits what `container` holds; `identity` is what a cycle leads back to where `container` stands for another. */
function inside<T>(walk: Walk, identity: object, container: T, visitAll: (walk: Walk, container: T) => T): T {
  if (walk.parents.length === walk.outgoing.depth) refuseDepth(walk, identity);
  count(walk, 1);
  walk.parents.push(identity);
  const plain = visitAll(walk, container);
  walk.parents.pop();
  return plain;
}

function visitArray(walk: Walk, array: unknown[]): unknown[] {
  // Asked before the loop, which is long for an array that is all holes.
  if (array.length > walk.room) refuseSize(walk);
  let copy: unknown[] | undefined;
  for (let index = 0; index < array.length; index++) {
    walk.path.push(index);
    const before = array[index];
    const after = before === undefined && !(index in array) ? noted(walk, "hole", undefined) : visit(walk, before);
    walk.path.pop();
    if (after !== before) copy ??= array.slice();
    if (copy) copy[index] = after;
  }
  return copy ?? array;
}

function visitFields(walk: Walk, object: Record<string, unknown>): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(object)) {
    consume(walk, key.length);
    walk.path.push(key);
    const before = object[key];
    const after = visit(walk, before);
    walk.path.pop();
    if (after !== before) copy ??= { ...object };
    if (copy) copy[key] = after;
  }
  return copy ?? object;
}

function visitView(walk: Walk, view: ArrayBufferView): unknown {
  if (view instanceof Uint8Array) return visitBytes(walk, view);
  const bytes = visitBytes(walk, new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  const name = Object.prototype.toString.call(view).slice("[object ".length, -"]".length);
  if (name === "Uint8Array") return bytes;
  const kind = viewKinds.find((known) => known === name);
  return kind ? noted(walk, kind, bytes) : refuse(walk, `is a ${name}, which cannot be sent. Send its bytes.`);
}

function visitBytes(walk: Walk, bytes: Uint8Array): Uint8Array {
  consume(walk, bytes.length);
  return bytes;
}

function visitAttachment(walk: Walk, source: object): unknown {
  const attachment = walk.outgoing.attach?.(source);
  if (attachment) return noted(walk, attachment.kind, null, attachment.detail);
  const name = source.constructor?.name || "class";
  if (source instanceof Promise) return refuse(walk, "is a promise, which cannot be sent. Await it first.");
  return refuse(walk, `is an instance of ${name}, which cannot be sent. Send a plain object with what it holds.`);
}

function noted<P>(walk: Walk, kind: AnnotationKind, plain: P, detail?: unknown): P {
  const path = [...walk.path];
  // What it takes at least, packed: an array of two, the path's own header, one for each step, the kind.
  consume(walk, 3 + path.length + kind.length);
  // The annotation, its path, its detail.
  count(walk, 3);
  walk.annotations.push(detail === undefined ? [path, kind] : [path, kind, detail]);
  return plain;
}

function consume(walk: Walk, bytes: number): void {
  walk.room -= bytes;
  if (walk.room < 0) refuseSize(walk);
}

function count(walk: Walk, containers: number): void {
  walk.containers -= containers;
  if (walk.containers >= 0) return;
  throw new BonevalueError(
    "too-large",
    `The ${walk.outgoing.name} holds too many lists and objects. Send them as a stream.`,
  );
}

// A cycle is looked for only where nesting ends, so that values without one pay nothing for it.
function refuseDepth(walk: Walk, value: object): never {
  const chain = [...walk.parents, value];
  const again = chain.findIndex((parent, index) => chain.indexOf(parent) < index);
  if (again < 0) refuse(walk, `is nested deeper than the ${walk.outgoing.depth} levels that may be. Flatten it.`);
  walk.path.length = again;
  return refuse(walk, "leads back to what contains it: a cycle cannot be sent. Send ids instead of references.");
}

function refuseSize({ outgoing }: Walk): never {
  throw tooLarge(outgoing);
}

function refuse({ outgoing, path }: Walk, what: string): never {
  throw new BonevalueError(outgoing.code, `${outgoing.name}${spell(path)} ${what}`);
}

/** The error for a value that takes more bytes than it may. */
export function tooLarge({ name, size }: Pick<SerializeOptions, "name" | "size">): BonevalueError {
  return new BonevalueError(
    "too-large",
    `The ${name} takes more than the ${size} bytes that a value may. Send it as a stream or a file.`,
  );
}

function spell(path: Path): string {
  return path
    .map((step) => (typeof step === "string" && identifier.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`))
    .join("");
}

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

// Another window's arrays are arrays too, but instances of subclasses are not: only Array.prototype is itself an array.
function isPlainArray(value: object): value is unknown[] {
  return Array.isArray(value) && Array.isArray(Object.getPrototypeOf(value));
}

function utf16(text: string): Uint8Array {
  const units = Uint16Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
  return new Uint8Array(units.buffer);
}
