import { invalidAbortSignal } from "../../check-arguments.ts";
import { BonevalueError } from "../../errors.ts";
import { guard } from "../../events.ts";
import type { IncomingStream } from "./incoming-stream.ts";
import { remoteFilePrototype } from "./is-remote-file.ts";

/** A file or a blob of another peer. Its bytes are sent as they are read, once. It can be sent on to other peers instead. */
export interface RemoteFile {
  /** The name that its sender gave it; "" for a blob. */
  readonly name: string;
  /** Its media type; "" if unknown. */
  readonly type: string;
  /** In bytes. */
  readonly size: number;
  /** Returns its bytes as they arrive. Throws `unsupported` if they were read before. */
  stream(options?: FileStreamOptions): IncomingStream<Uint8Array<ArrayBuffer>>;
  /** Resolves with all of its bytes. Rejects like its stream, and with `unsupported` if they were read before. */
  blob(options?: FileBlobOptions): Promise<Blob>;
}

/** How much of a file was read, in bytes. */
export interface FileProgress {
  /** The bytes that have been read. */
  readonly received: number;
  /** The size of the file in bytes. */
  readonly total: number;
}

/** How the bytes of a file are read. */
export interface FileStreamOptions {
  /** Called when more was read, as often as the sender's `onProgress`: at first, and with the last byte. */
  onProgress?: ((progress: FileProgress) => void) | undefined;
}

/** How a file is read completely. */
export interface FileBlobOptions extends FileStreamOptions {
  /** Cancels, for the sender too, with `cancelled`. Already aborted: nothing is read, and the file can still be read. */
  signal?: AbortSignal | undefined;
}

/** Called with how many bytes of a file were read so far. */
export type OnRead = ((bytes: number) => void) | undefined;

/** The description of a file, which arrives before its bytes. */
export type FileInfo = Pick<RemoteFile, "name" | "type" | "size">;

/** Creates a file. `open` is called at most once, when its bytes are first read. */
export function createRemoteFile(
  info: FileInfo,
  open: (onRead: OnRead) => IncomingStream<Uint8Array<ArrayBuffer>>,
): RemoteFile {
  let isOpened = false;

  function stream({ onProgress }: FileStreamOptions = {}): IncomingStream<Uint8Array<ArrayBuffer>> {
    if (isOpened) {
      throw new BonevalueError(
        "unsupported",
        `The file "${info.name}" was already read. Keep the result of its blob().`,
      );
    }
    isOpened = true;
    return open(onProgress && ((received) => guard(() => onProgress(Object.freeze({ received, total: info.size })))));
  }

  async function blob({ signal, ...options }: FileBlobOptions = {}): Promise<Blob> {
    const invalid = invalidAbortSignal(signal) ?? (signal?.aborted && aborted(info, signal));
    if (invalid) throw invalid;
    const reader = stream(options).getReader();
    // Rejects for a stream that has failed, which the loop has thrown already.
    const cancel = (reason?: unknown) => reader.cancel(reason).catch(() => {});
    const abort = () => cancel(aborted(info, signal));
    signal?.addEventListener("abort", abort);
    try {
      const collected = await collect(reader, info.type);
      // A cancelled reader has reached its end.
      if (signal?.aborted) throw aborted(info, signal);
      return collected;
    } finally {
      signal?.removeEventListener("abort", abort);
      void cancel();
    }
  }

  return Object.freeze(Object.assign(Object.create(remoteFilePrototype), { ...info, stream, blob }) as RemoteFile);
}

// A browser may keep blobs of this size on disk.
const pieceSize = 4 * 1_024 * 1_024;

async function collect(reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>, type: string): Promise<Blob> {
  const pieces: Blob[] = [];
  let chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    chunks.push(read.value);
    size += read.value.length;
    if (size < pieceSize) continue;
    pieces.push(new Blob(chunks));
    chunks = [];
    size = 0;
  }
  return new Blob([...pieces, ...chunks], { type });
}

function aborted({ name }: FileInfo, signal: AbortSignal | undefined): BonevalueError {
  return new BonevalueError("cancelled", `The app aborted reading the file "${name}".`, { cause: signal?.reason });
}
