import { BonevalueError } from "../../errors.ts";
import type { IncomingStream } from "./incoming-stream.ts";

/** A file or a blob of another peer. Its bytes are sent as they are read, once. It can be sent on to other peers instead. */
export interface RemoteFile {
  /** The name that its sender gave it; "" for a blob. */
  readonly name: string;
  /** Its media type; "" if unknown. */
  readonly type: string;
  /** In bytes. */
  readonly size: number;
  /** Returns its bytes as they arrive. Throws `unsupported` if they were read before. */
  stream(): IncomingStream<Uint8Array<ArrayBuffer>>;
  /** Resolves with all of its bytes. Rejects like its stream, and with `unsupported` if they were read before. */
  blob(): Promise<Blob>;
}

/** The description of a file, which arrives before its bytes. */
export type FileInfo = Pick<RemoteFile, "name" | "type" | "size">;

// Shared by the copies of this library in one page.
const brand = Symbol.for("bonevalue.RemoteFile");

// With a prototype of its own a file is not a plain object, which would be sent field by field.
const prototype: object = Object.freeze(Object.create(Object.prototype, { [brand]: { value: true } }));

/** Creates a file. `open` is called at most once, when its bytes are first read. */
export function createRemoteFile(info: FileInfo, open: () => IncomingStream<Uint8Array<ArrayBuffer>>): RemoteFile {
  let isOpened = false;

  function stream(): IncomingStream<Uint8Array<ArrayBuffer>> {
    if (isOpened) {
      throw new BonevalueError(
        "unsupported",
        `The file "${info.name}" was already read. Keep the result of its blob().`,
      );
    }
    isOpened = true;
    return open();
  }

  const file = Object.assign(Object.create(prototype), {
    ...info,
    stream,
    blob: async () => collect(stream(), info.type),
  }) as RemoteFile;
  return Object.freeze(file);
}

/** Whether {@link createRemoteFile} of any copy of this library created `value`. */
export function isRemoteFile(value: unknown): value is RemoteFile {
  return brand in Object(value);
}

// A browser may keep blobs of this size on disk.
const pieceSize = 4 * 1_024 * 1_024;

async function collect(stream: IncomingStream<Uint8Array<ArrayBuffer>>, type: string): Promise<Blob> {
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
