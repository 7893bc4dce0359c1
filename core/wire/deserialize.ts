import { BonevalueError } from "../errors.ts";
import { type AttachmentKind, kindNamed, unavailable } from "./annotations.ts";
import { protocolError } from "./protocol-error.ts";

/** Makes the stream or the blob that an annotation announces. Throws `protocol` for a malformed detail. */
export type AttachmentReceiver = (kind: AttachmentKind, detail: unknown) => unknown;

/**
 * Reverses `serialize`. Takes `plain` over and builds the value in place.
 *
 * Annotations come from the peer and are checked: each must name a position that exists, hold the plain form that its kind
 * needs, and not lie inside something that another annotation has built. Otherwise this throws `protocol`. No prototype
 * is ever read or written: every key is data. Throws `unsupported`, after everything else has been built, for a view that
 * this runtime does not have. Without `receive` the kinds `stream` and `blob` are refused.
 */
export function deserialize(plain: unknown, annotations: unknown, receive?: AttachmentReceiver): unknown {
  const root = [plain];
  if (!Array.isArray(annotations)) throw malformed();
  const built = new Set<unknown>();
  let missing: unknown;
  for (const annotation of annotations) {
    const [path, kind, detail] = readAnnotation(annotation);
    const [container, step] = locate(root, path, built);
    const value = build(kind, container[step], detail, receive);
    if (value === unavailable) missing ??= kind;
    built.add(value);
    if (kind === "hole") removeElement(container, step);
    else container[step] = value;
  }
  if (missing)
    throw new BonevalueError(
      "unsupported",
      `The value holds a ${missing}, which this runtime does not have. Send plain bytes, or update it.`,
    );
  return root[0];
}

type Container = Record<string | number, unknown>;

function readAnnotation(annotation: unknown): readonly [path: readonly unknown[], kind: unknown, detail: unknown] {
  if (!Array.isArray(annotation) || annotation.length < 2 || annotation.length > 3 || !Array.isArray(annotation[0])) {
    throw malformed();
  }
  return annotation as [unknown[], unknown, unknown];
}

/** Returns the container that holds the annotated position, and the last step to it. */
function locate(root: unknown[], path: readonly unknown[], built: ReadonlySet<unknown>): [Container, string | number] {
  let container: unknown = root;
  let step: unknown = 0;
  for (const next of path) {
    container = getOwn(container, step);
    if (built.has(container)) throw malformed();
    step = next;
  }
  getOwn(container, step);
  return [container as Container, step as string | number];
}

// Reads only what plain arrays and objects hold themselves: nothing inherited, no array's length, no byte of bytes.
function getOwn(container: unknown, step: unknown): unknown {
  const isStep = Array.isArray(container)
    ? typeof step === "number"
    : typeof step === "string" && isPlainObject(container);
  if (!isStep || !Object.hasOwn(container as object, step as string)) throw malformed();
  return (container as Container)[step as string];
}

function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function removeElement(container: Container, step: string | number): void {
  if (!Array.isArray(container)) throw malformed();
  delete container[step as number];
}

function build(kind: unknown, plain: unknown, detail: unknown, receive: AttachmentReceiver | undefined): unknown {
  if (kind === "stream" || kind === "blob") {
    if (receive && plain === null) return receive(kind, detail);
  } else if (detail === undefined) {
    const known = kindNamed(kind);
    if (known?.isValid(plain)) return known.fromPlainForm(plain);
  }
  throw malformed();
}

function malformed(): BonevalueError {
  return protocolError("malformed data");
}
