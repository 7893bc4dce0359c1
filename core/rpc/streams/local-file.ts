import { BonevalueError } from "../../errors.ts";
import { isInstanceOf, typeTag } from "../../type-tag.ts";
import { iterate } from "./iterate.ts";
import type { FileInfo } from "./remote-file.ts";

/** Whether `value` is a Blob or a File of this page, of whichever realm. */
export function isBlob(value: unknown): value is Blob {
  return isInstanceOf(value, "Blob") || typeTag(value) === "File";
}

/** Returns what a receiver gets to know of a blob before its bytes. */
export function infoOf(blob: Blob): FileInfo {
  const name = "name" in blob && typeof blob.name === "string" ? blob.name : "";
  return { name, type: blob.type, size: blob.size };
}

// With its frame a chunk fits into the largest message.
const chunkSize = 64 * 1_024 - 64;

/**
 * Yields the bytes of `blob`. Throws `handler-failed` if the file behind it has changed or was deleted. Some browsers end
 * the bytes of a file that has shrunk without an error, so they are counted.
 */
export async function* chunksOf(blob: Blob): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  let remaining = blob.size;
  try {
    // jsdom has no `Blob#stream`.
    const source = blob.stream ? iterate(blob.stream()) : (await import("./blob-slices.ts")).slicesOf(blob);
    for await (const bytes of source) {
      remaining -= bytes.length;
      if (remaining < 0) break;
      for (let at = 0; at < bytes.length; at += chunkSize) yield bytes.subarray(at, at + chunkSize);
    }
  } catch (cause) {
    throw changed(remaining === blob.size, cause);
  }
  if (remaining !== 0) throw changed(remaining === blob.size);
}

function changed(isUnread: boolean, cause?: unknown): BonevalueError {
  const what = isUnread ? "was changed or deleted before it was sent" : "changed while it was being sent";
  return new BonevalueError("handler-failed", `The file ${what}. Select it again.`, { cause });
}
