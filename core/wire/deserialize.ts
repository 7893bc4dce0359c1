import { BonevalueError } from "../errors.ts";
import { type AttachmentKind, type ViewKind, viewKinds } from "./annotations.ts";
import { protocolError } from "./protocol-error.ts";

/** Makes the stream or the blob that a annotation announces. Throws `protocol` for a detail that is malformed. */
export type AttachmentReceiver = (kind: AttachmentKind, detail: unknown) => unknown;

/**
 * The value that `toPlain` took apart; takes `plain` over and builds in place. Annotations are a peer's word: throws
 * `protocol` unless every one names a place that exists, holds what its kind needs and was not made by another annotation,
 * and `unsupported`, once all else is made, for a view that this runtime does not know. Without `receive` there is no
 * kind `stream` or `blob`. No prototype is ever read or written: every key is data.
 */
export function deserialize(plain: unknown, annotations: unknown, receive?: AttachmentReceiver): unknown {
  const root = [plain];
  if (!Array.isArray(annotations)) throw protocolError("annotations that are no list");
  const made = new Set<unknown>();
  let missing: ViewKind | undefined;
  for (const annotation of annotations) {
    const [path, kind, detail] = readAnnotation(annotation);
    const [container, step] = find(root, path, made);
    if (isMissing(kind)) {
      missing ??= kind;
      continue;
    }
    const value = revive(kind, container[step], detail, receive);
    made.add(value);
    if (kind === "hole") leaveOut(container, step);
    else container[step] = value;
  }
  if (missing) throw new BonevalueError("unsupported", `The value holds a ${missing}, which is unknown here.`);
  return root[0];
}

type Container = Record<string | number, unknown>;

function readAnnotation(annotation: unknown): readonly [path: readonly unknown[], kind: unknown, detail: unknown] {
  if (!Array.isArray(annotation) || annotation.length < 2 || annotation.length > 3 || !Array.isArray(annotation[0])) {
    throw protocolError("a annotation that is malformed");
  }
  return annotation as [unknown[], unknown, unknown];
}

function find(root: unknown[], path: readonly unknown[], made: ReadonlySet<unknown>): [Container, string | number] {
  let container: unknown = root;
  let step: unknown = 0;
  for (const next of path) {
    container = at(container, step);
    if (made.has(container)) throw protocolError("a annotation about the inside of what another annotation made");
    step = next;
  }
  at(container, step);
  return [container as Container, step as string | number];
}

// Only what ordinary arrays and objects hold themselves is a place: nothing inherited, no array's length, no byte.
function at(container: unknown, step: unknown): unknown {
  const fits = Array.isArray(container)
    ? typeof step === "number"
    : typeof step === "string" && isPlainObject(container);
  if (!fits || !Object.hasOwn(container as object, step as string)) throw protocolError("a annotation about no place");
  return (container as Container)[step as string];
}

function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function leaveOut(container: Container, step: string | number): void {
  if (!Array.isArray(container)) throw protocolError("a annotation about a hole outside an array");
  delete container[step as number];
}

function revive(kind: unknown, plain: unknown, detail: unknown, receive: AttachmentReceiver | undefined): unknown {
  if (kind === "stream" || kind === "blob") {
    if (receive && plain === null) return receive(kind, detail);
  } else if (detail !== undefined) {
    throw misfit(kind);
  } else if (plain === null) {
    if (kind === "undefined" || kind === "hole") return undefined;
    if (kind === "Date") return new Date(Number.NaN);
  } else if (typeof plain === "number") {
    if (kind === "Date" && new Date(plain).getTime() === plain) return new Date(plain);
  } else if (typeof plain === "string") {
    if (kind === "BigInt" && /^-?[0-9a-f]+$/.test(plain)) return bigint(plain);
  } else if (Array.isArray(plain)) {
    if (kind === "Set") return new Set(plain);
    if (kind === "Map" && plain.every(isPair)) return new Map(plain);
    // Unlike an assignment, this makes a field of `__proto__` too.
    if (kind === "Object" && plain.every(isField)) return Object.fromEntries(plain);
  } else if (plain instanceof Uint8Array) {
    return reviveBytes(kind, new Uint8Array(plain).buffer);
  }
  throw misfit(kind);
}

const views: Partial<Record<ViewKind, ViewConstructor>> = globalThis;

function isMissing(kind: unknown): kind is ViewKind {
  return viewKinds.includes(kind as ViewKind) && !views[kind as ViewKind];
}

function reviveBytes(kind: unknown, bytes: ArrayBuffer): unknown {
  if (kind === "ArrayBuffer") return bytes;
  if (kind === "text" && bytes.byteLength % 2 === 0) return text(bytes);
  const view = viewKinds.find((known) => known === kind);
  if (!view) throw misfit(kind);
  const View = views[view]!;
  if (bytes.byteLength % (View.BYTES_PER_ELEMENT ?? 1)) throw misfit(kind);
  return new View(bytes);
}

function text(bytes: ArrayBuffer): string {
  let text = "";
  for (const unit of new Uint16Array(bytes)) text += String.fromCharCode(unit);
  return text;
}

function bigint(digits: string): bigint {
  return digits.startsWith("-") ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`);
}

function isPair(item: unknown): boolean {
  return Array.isArray(item) && item.length === 2;
}

function isField(item: unknown): boolean {
  return isPair(item) && typeof (item as unknown[])[0] === "string";
}

interface ViewConstructor {
  new (bytes: ArrayBuffer): ArrayBufferView;
  /** A DataView has none. */
  readonly BYTES_PER_ELEMENT?: number;
}

function misfit(kind: unknown): BonevalueError {
  const name = typeof kind === "string" ? JSON.stringify(kind.slice(0, 32)) : "that is no string";
  return protocolError(`a annotation of kind ${name} that does not fit its place`);
}
