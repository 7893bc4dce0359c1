import { BonevalueError } from "../../errors.ts";
import type { IncomingStream } from "./incoming-stream.ts";

/** A file or a blob of another peer. Its bytes come as they are read, once; it can be sent on instead. */
export interface RemoteFile {
  /** As its sender calls it; "" where it was a blob without a name. */
  readonly name: string;
  /** Its media type, "" where that is unknown. */
  readonly type: string;
  /** In bytes. */
  readonly size: number;
  /** Its bytes as they arrive. Throws `unsupported` where they have been asked for before. */
  stream(): IncomingStream<Uint8Array<ArrayBuffer>>;
  /** All of it. Rejects as its stream fails, and with `unsupported` where it has been asked for before. */
  blob(): Promise<Blob>;
}

/** What is known of a file before its bytes come. */
export type FileInfo = Pick<RemoteFile, "name" | "type" | "size">;

/** What a receiver is told of a blob before its bytes. */
export function infoOf(blob: Blob): FileInfo {
  const name = "name" in blob && typeof blob.name === "string" ? blob.name : "";
  return { name, type: blob.type, size: blob.size };
}

// A value is data or it is not: with a prototype of its own a file is asked about when it is packed, and never walked.
const prototype: object = Object.freeze(Object.create(Object.prototype));
const files = new WeakSet<object>();

/** A file whose bytes `open` begins to read, at most once. */
export function createRemoteFile(info: FileInfo, open: () => IncomingStream<Uint8Array<ArrayBuffer>>): RemoteFile {
  let opened = false;

  function stream(): IncomingStream<Uint8Array<ArrayBuffer>> {
    if (opened) {
      throw new BonevalueError("unsupported", `The file "${info.name}" is read once: keep what its blob() gives.`);
    }
    opened = true;
    return open();
  }

  const file = Object.assign(Object.create(prototype), {
    ...info,
    stream,
    blob: async () => gather(stream(), info.type),
  }) as RemoteFile;
  files.add(file);
  return Object.freeze(file);
}

/** Whether `value` is a file that {@link createRemoteFile} made. */
export function isRemoteFile(value: unknown): value is RemoteFile {
  return files.has(value as object);
}

// Blobs this large are handed to the browser as they fill up: it may keep them on disk.
const pieceSize = 4 * 1_024 * 1_024;

async function gather(stream: IncomingStream<Uint8Array<ArrayBuffer>>, type: string): Promise<Blob> {
  const pieces: Blob[] = [];
  let chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size < pieceSize) continue;
    pieces.push(new Blob(chunks));
    chunks = [];
    size = 0;
  }
  return new Blob([...pieces, ...chunks], { type });
}
