import type { AttachmentKind } from "../../wire/annotations.ts";
import { protocolError } from "../../wire/protocol-error.ts";
import type { FileInfo } from "./remote-file.ts";

/** What a note inside a value says of a stream: the number that its sender gave it, and of what file it is, if of any. */
export interface StreamHeader {
  readonly id: number;
  readonly file?: FileInfo | undefined;
}

/** The detail of the note that announces a stream, or a blob. */
export function writeStreamHeader({ id, file }: StreamHeader): unknown {
  return file ? [id, file.name, file.type, file.size] : id;
}

/** Reads a note's detail. Throws `protocol` for one that is malformed. */
export function readStreamHeader(kind: AttachmentKind, detail: unknown): StreamHeader {
  if (kind === "stream") return { id: idOf(detail) };
  if (!Array.isArray(detail) || detail.length !== 4) throw protocolError("a file that is announced without its size");
  const [id, name, type, size] = detail as unknown[];
  if (typeof name !== "string" || typeof type !== "string" || !isCount(size)) {
    throw protocolError("a file with a name, a type or a size that is none");
  }
  return { id: idOf(id), file: { name, type, size } };
}

function idOf(id: unknown): number {
  if (!isCount(id) || id === 0) throw protocolError("a stream without a number");
  return id;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
