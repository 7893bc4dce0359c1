import { BonevalueError } from "../errors.ts";
import { malformed } from "./malformed.ts";
import { type AttachmentKind, type NoteKind, type ViewKind, viewKinds } from "./notes.ts";

/** Makes the stream or the blob that a note announces. Throws `protocol` for a detail that is malformed. */
export type Receive = (kind: AttachmentKind, detail: unknown) => unknown;

/**
 * The value that `toPlain` took apart; takes `plain` over and builds in place. Notes are a peer's word: throws
 * `protocol` unless every one names a place that exists, holds what its kind needs and was not made by another note.
 * Without `receive` there is no kind `stream` or `blob`. No prototype is ever read or written: every key is data.
 */
export function restore(plain: unknown, notes: unknown, receive?: Receive): unknown {
  const root = [plain];
  if (!Array.isArray(notes)) throw malformed("notes that are no list");
  const made = new Set<unknown>();
  for (const note of notes) {
    const [path, kind, detail] = readNote(note);
    const [container, step] = find(root, path, made);
    const value = revive(kind, container[step], detail, receive);
    made.add(value);
    if (kind === "hole") leaveOut(container, step);
    else container[step] = value;
  }
  return root[0];
}

type Container = Record<string | number, unknown>;

function readNote(note: unknown): readonly [path: readonly unknown[], kind: unknown, detail: unknown] {
  if (!Array.isArray(note) || note.length < 2 || note.length > 3 || !Array.isArray(note[0])) {
    throw malformed("a note that is malformed");
  }
  return note as [unknown[], unknown, unknown];
}

function find(root: unknown[], path: readonly unknown[], made: ReadonlySet<unknown>): [Container, string | number] {
  let container: unknown = root;
  let step: unknown = 0;
  for (const next of path) {
    container = at(container, step);
    if (made.has(container)) throw malformed("a note about the inside of what another note made");
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
  if (!fits || !Object.hasOwn(container as object, step as string)) throw malformed("a note about no place");
  return (container as Container)[step as string];
}

function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function leaveOut(container: Container, step: string | number): void {
  if (!Array.isArray(container)) throw malformed("a note about a hole outside an array");
  delete container[step as number];
}

function revive(kind: unknown, plain: unknown, detail: unknown, receive: Receive | undefined): unknown {
  if (kind === "stream" || kind === "blob") {
    if (!receive || plain !== null) throw misfit(kind);
    return receive(kind, detail);
  }
  const revived = detail === undefined ? revivers.get(kind) : undefined;
  if (!revived) throw misfit(kind);
  return revived(plain);
}

const revivers: ReadonlyMap<unknown, (plain: unknown) => unknown> = new Map<NoteKind, (plain: unknown) => unknown>([
  ["undefined", nothing],
  ["hole", nothing],
  ["text", text],
  ["BigInt", bigint],
  ["Date", date],
  ["Set", (plain) => new Set(list(plain, "Set"))],
  ["Map", (plain) => new Map(pairs(plain, "Map"))],
  ["Object", object],
  ["ArrayBuffer", (plain) => buffer(plain, "ArrayBuffer")],
  ...viewKinds.map((kind) => [kind, (plain: unknown) => view(kind, plain)] as const),
]);

function nothing(plain: unknown): undefined {
  if (plain !== null) throw misfit("undefined");
}

function text(plain: unknown): string {
  const bytes = buffer(plain, "text");
  if (bytes.byteLength % 2) throw misfit("text");
  let text = "";
  for (const unit of new Uint16Array(bytes)) text += String.fromCharCode(unit);
  return text;
}

function bigint(plain: unknown): bigint {
  const [, sign, digits] = (typeof plain === "string" && /^(-?)([0-9a-f]+)$/.exec(plain)) || [];
  if (digits === undefined) throw misfit("BigInt");
  const magnitude = BigInt(`0x${digits}`);
  return sign ? -magnitude : magnitude;
}

function date(plain: unknown): Date {
  if (plain === null) return new Date(Number.NaN);
  const date = new Date(typeof plain === "number" ? plain : Number.NaN);
  if (date.getTime() !== plain) throw misfit("Date");
  return date;
}

function list(plain: unknown, kind: NoteKind): unknown[] {
  if (!Array.isArray(plain)) throw misfit(kind);
  return plain;
}

function pairs(plain: unknown, kind: NoteKind): [unknown, unknown][] {
  const pairs = list(plain, kind);
  if (!pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) throw misfit(kind);
  return pairs as [unknown, unknown][];
}

function object(plain: unknown): object {
  const object = {};
  for (const [key, value] of pairs(plain, "Object")) {
    if (typeof key !== "string") throw misfit("Object");
    // Assignment would call the setter of `__proto__`.
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  }
  return object;
}

function buffer(plain: unknown, kind: NoteKind): ArrayBuffer {
  if (!(plain instanceof Uint8Array)) throw misfit(kind);
  return new Uint8Array(plain).buffer;
}

function view(kind: ViewKind, plain: unknown): ArrayBufferView {
  const bytes = buffer(plain, kind);
  const View = (globalThis as Partial<Record<ViewKind, ViewConstructor>>)[kind];
  if (!View) throw new BonevalueError("unsupported", `The value holds a ${kind}, which this browser does not know.`);
  if (bytes.byteLength % (View.BYTES_PER_ELEMENT ?? 1)) throw misfit(kind);
  return new View(bytes);
}

interface ViewConstructor {
  new (bytes: ArrayBuffer): ArrayBufferView;
  /** A DataView has none. */
  readonly BYTES_PER_ELEMENT?: number;
}

function misfit(kind: unknown): BonevalueError {
  const name = typeof kind === "string" ? JSON.stringify(kind.slice(0, 32)) : "that is no string";
  return malformed(`a note of kind ${name} that does not fit its place`);
}
