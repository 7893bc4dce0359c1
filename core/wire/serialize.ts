import { BonevalueError, type ErrorCode } from "../errors.ts";
import { typeTag } from "../type-tag.ts";
import {
  type Annotation,
  type AnnotationKind,
  type AttachmentKind,
  builtInKind,
  bytesOf,
  isPlainText,
  kindNamed,
  type Path,
  type Step,
} from "./annotations.ts";
import { maxContainers } from "./frames.ts";

/** A value in the form that crosses the wire: plain msgpack data, and annotations for what msgpack cannot express. */
export interface SerializedValue {
  readonly plain: unknown;
  readonly annotations: readonly Annotation[];
}

/** How the annotation of a stream or a blob describes it. `detail` is plain msgpack data. */
export interface Attachment {
  readonly kind: AttachmentKind;
  readonly detail: unknown;
}

/** Limits for a value that is sent, and how errors name it. */
export interface SerializeOptions {
  /** Begins the path in error messages: `request`, `response`, `item`. */
  readonly name: string;
  /** The code of the error for a value that cannot be sent. For a value that is too large it is always `too-large`. */
  readonly code: ErrorCode;
  /** Most containers inside each other; a Map counts twice. */
  readonly depth: number;
  /** Most bytes once packed. */
  readonly size: number;
  /**
   * Called for each object that is not data, and for each async iterable. Returns how to announce a stream or a blob, and
   * `undefined` for anything else, which is rejected. Without it both are rejected.
   */
  readonly attach?: ((source: object) => Attachment | undefined) | undefined;
}

/**
 * Returns the plain form of `value` and its annotations. Parts that need no annotation are not copied. As in JSON, symbol
 * keys and further properties of arrays are left out, and `-0` becomes `0`. Throws a BonevalueError that names the path:
 * with `code` for functions, symbols, instances of classes, cycles and too much nesting, else with `too-large`.
 */
export function serialize(value: unknown, options: SerializeOptions): SerializedValue {
  const walk: Walk = {
    options,
    path: [],
    parents: [],
    annotations: [],
    bytesLeft: options.size,
    containersLeft: maxContainers - 1,
  };
  return { plain: visit(walk, value), annotations: walk.annotations };
}

interface Walk {
  readonly options: SerializeOptions;
  /** The current position in the plain form, and the containers around it. */
  readonly path: Step[];
  readonly parents: object[];
  readonly annotations: Annotation[];
  /** Stops an endless value before it takes memory. */
  bytesLeft: number;
  containersLeft: number;
}

function visit(walk: Walk, value: unknown): unknown {
  consumeBytes(walk, 1);
  switch (typeof value) {
    case "number":
    case "boolean":
      return value;
    case "string":
      if (!isPlainText(value)) return visitAs("text", walk, value);
      consumeBytes(walk, value.length);
      return value;
    case "undefined":
      return visitAs("undefined", walk, value);
    case "bigint":
      return visitAs("BigInt", walk, value);
    case "object":
      return value === null ? null : visitObject(walk, value);
    case "function":
      return reject(walk, "is a function, which cannot be sent. Offer it as a module, and send its name.");
    default:
      return reject(walk, "is a symbol, which cannot be sent. Send its description.");
  }
}

function visitObject(walk: Walk, value: object): unknown {
  if (ArrayBuffer.isView(value)) return visitView(walk, value);
  if (isPlainArray(value)) return visitContainer(walk, value, value, visitArray);
  // In every realm, the prototype of plain objects ends the chain. The prototypes of built-in objects are one step away from
  // the end, and the prototypes of their subclasses are further away.
  const prototype: object | null = Object.getPrototypeOf(value);
  const parent: object | null = prototype && Object.getPrototypeOf(prototype);
  if (parent) return visitInstance(walk, value, Object.getPrototypeOf(parent) === null);
  if (Symbol.asyncIterator in value) return visitAttachment(walk, value);
  return visitPlainObject(walk, value as Record<string, unknown>);
}

function visitInstance(walk: Walk, value: object, mayBeBuiltIn: boolean): unknown {
  const tag = typeTag(value);
  if (!mayBeBuiltIn || !builtInKind(tag)) return visitAttachment(walk, value);
  if (tag === "ArrayBuffer") requireAttached(walk, value as ArrayBuffer);
  return visitAs(tag as AnnotationKind, walk, value);
}

function visitView(walk: Walk, view: ArrayBufferView): unknown {
  requireAttached(walk, view.buffer);
  if (view instanceof Uint8Array) return visitBytes(walk, view);
  const tag = typeTag(view);
  if (tag === "Uint8Array") return visitBytes(walk, bytesOf(view));
  if (builtInKind(tag)) return visitAs(tag as AnnotationKind, walk, view);
  return reject(walk, `is a ${tag}, which cannot be sent. Send its bytes.`);
}

function visitPlainObject(walk: Walk, object: Record<string, unknown>): unknown {
  if (Object.keys(object).every(isPlainKey)) return visitContainer(walk, object, object, visitFields);
  return visitAs("Object", walk, object);
}

// Decoders in JavaScript cannot be trusted with `__proto__`.
function isPlainKey(key: string): boolean {
  return key !== "__proto__" && isPlainText(key);
}

/** Visits a value that needs an annotation. */
function visitAs(kind: AnnotationKind, walk: Walk, value: unknown): unknown {
  let plain = kindNamed(kind)!.toPlainForm(value);
  if (Array.isArray(plain)) plain = visitContainer(walk, value as object, plain, visitArray);
  else if (plain instanceof Uint8Array) plain = visitBytes(walk, plain);
  annotate(walk, kind);
  return plain;
}

/** Visits the content of `container`, which stands for `identity` when a cycle is looked for. */
function visitContainer<T>(walk: Walk, identity: object, container: T, visitAll: (walk: Walk, container: T) => T): T {
  if (walk.parents.length === walk.options.depth) rejectDepth(walk, identity);
  consumeContainers(walk, 1);
  walk.parents.push(identity);
  const plain = visitAll(walk, container);
  walk.parents.pop();
  return plain;
}

function visitArray(walk: Walk, array: unknown[]): unknown[] {
  // An array of nothing but holes would keep the loop busy for long.
  if (array.length > walk.bytesLeft) throw tooLarge(walk.options);
  let copy: unknown[] | undefined;
  for (let index = 0; index < array.length; index++) {
    walk.path.push(index);
    const before = array[index];
    const after = before === undefined && !(index in array) ? visitAs("hole", walk, before) : visit(walk, before);
    walk.path.pop();
    if (after !== before) copy ??= array.slice();
    if (copy) copy[index] = after;
  }
  return copy ?? array;
}

function visitFields(walk: Walk, object: Record<string, unknown>): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(object)) {
    consumeBytes(walk, key.length);
    walk.path.push(key);
    const before = object[key];
    const after = visit(walk, before);
    walk.path.pop();
    if (after !== before) copy ??= { ...object };
    if (copy) copy[key] = after;
  }
  return copy ?? object;
}

function visitBytes(walk: Walk, bytes: Uint8Array): Uint8Array {
  consumeBytes(walk, bytes.length);
  return bytes;
}

function visitAttachment(walk: Walk, source: object): unknown {
  const attachment = walk.options.attach?.(source);
  if (attachment) {
    annotate(walk, attachment.kind, attachment.detail);
    return null;
  }
  if (typeTag(source) === "Promise") return reject(walk, "is a promise, which cannot be sent. Await it first.");
  const name = source.constructor?.name || "class";
  return reject(walk, `is an instance of ${name}, which cannot be sent. Send a plain object with its content.`);
}

function annotate(walk: Walk, kind: AnnotationKind, detail?: unknown): void {
  const path = [...walk.path];
  // The least that it takes once packed: an array of two, the header of the path, each step, and the kind.
  consumeBytes(walk, 3 + path.length + kind.length);
  // The annotation, its path and its detail.
  consumeContainers(walk, 3);
  walk.annotations.push(detail === undefined ? [path, kind] : [path, kind, detail]);
}

function consumeBytes(walk: Walk, bytes: number): void {
  walk.bytesLeft -= bytes;
  if (walk.bytesLeft < 0) throw tooLarge(walk.options);
}

function consumeContainers(walk: Walk, containers: number): void {
  walk.containersLeft -= containers;
  if (walk.containersLeft >= 0) return;
  throw new BonevalueError(
    "too-large",
    `The ${walk.options.name} holds too many lists and objects. Send them as a stream.`,
  );
}

// A view of a detached buffer looks like an empty one, and would arrive as such.
function requireAttached(walk: Walk, buffer: ArrayBufferLike): void {
  if (buffer.byteLength > 0) return;
  try {
    new Uint8Array(buffer);
  } catch {
    reject(walk, "is detached, since its buffer was transferred. Send a copy.");
  }
}

// Looks for a cycle only at the deepest level, so that values without a cycle pay nothing for it.
function rejectDepth(walk: Walk, value: object): never {
  const chain = [...walk.parents, value];
  const again = chain.findIndex((parent, index) => chain.indexOf(parent) < index);
  if (again < 0) reject(walk, `is nested deeper than the limit of ${walk.options.depth} levels. Flatten it.`);
  walk.path.length = again;
  return reject(walk, "leads back to what contains it: a cycle cannot be sent. Send ids instead of references.");
}

function reject({ options, path }: Walk, what: string): never {
  throw new BonevalueError(options.code, `${options.name}${formatPath(path)} ${what}`);
}

/** The error for a value that takes more bytes than allowed. */
export function tooLarge({ name, size }: Pick<SerializeOptions, "name" | "size">): BonevalueError {
  return new BonevalueError(
    "too-large",
    `The ${name} takes more than the limit of ${size} bytes. Send it as a stream or a file.`,
  );
}

function formatPath(path: Path): string {
  return path
    .map((step) => (typeof step === "string" && identifier.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`))
    .join("");
}

const identifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

// Recognizes the arrays of every realm, and excludes instances of subclasses: only Array.prototype is itself an array.
function isPlainArray(value: object): value is unknown[] {
  return Array.isArray(value) && Array.isArray(Object.getPrototypeOf(value));
}
