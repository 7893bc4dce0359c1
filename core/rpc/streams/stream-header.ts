import type { AttachmentKind } from "../../wire/annotations.ts";
import { protocolError } from "../../wire/protocol-error.ts";
import type { FileInfo } from "./remote-file.ts";

/** The data of a stream in an annotation: its number on the link, and the description of a file or a blob. */
export interface StreamHeader {
  readonly id: number;
  readonly file?: FileInfo | undefined;
}

/** Returns the detail of the annotation. */
export function writeStreamHeader({ id, file }: StreamHeader): unknown {
  return file ? [id, file.name, file.type, file.size] : id;
}

/** Reads the detail of an annotation. Throws `protocol` if it is malformed. */
export function readStreamHeader(kind: AttachmentKind, detail: unknown): StreamHeader {
  const [id, name, type, size, ...more] = kind === "blob" && Array.isArray(detail) ? detail : [detail, "", "", 0];
  const isValid = isCount(id) && id > 0 && typeof name === "string" && typeof type === "string" && isCount(size);
  if (!isValid || more.length > 0) throw protocolError("malformed data");
  return kind === "blob" ? { id, file: { name, type, size } } : { id };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
