import { BonevalueError } from "../../errors.ts";
import type { AttachmentKind } from "../../wire/annotations.ts";
import { iterate } from "./incoming-stream.ts";
import { multicast } from "./multicast.ts";
import { isAsyncIterable, isIterator, type PullSource, pullFromIterable, pullFromStream } from "./pull.ts";
import { type FileInfo, infoOf, isRemoteFile } from "./remote-file.ts";

/** A stream or a blob on its way to one peer. */
export interface OutgoingStream {
  readonly pull: PullSource;
  /** Of what file it is, if of any. */
  readonly file: FileInfo | undefined;
}

/** A stream or a blob that was found in a value. */
export interface AttachmentSource {
  readonly kind: AttachmentKind;
  /** Called once for each peer. */
  open(): OutgoingStream;
}

/**
 * How `object` is sent to `count` peers, if it is a stream or a blob. A blob, and an iterable that is no iterator
 * itself, is read for each peer anew; what can be read only once is shared in lock-step, so that nothing is kept for
 * the slowest. From now on a stream is locked, a received file read, and a generator spent; throws `unsupported` where it
 * has been before.
 */
export function attachmentSourceOf(object: object, count: number): AttachmentSource | undefined {
  if (object instanceof Blob) return sourceOfFile(infoOf(object), () => pullFromIterable(chunksOf(object)));
  if (isRemoteFile(object)) return sourceOfFile(object, once(lock(object.stream()), count));
  if (object instanceof ReadableStream) return sourceOfItems(once(lock(object), count));
  if (!isAsyncIterable(object)) return undefined;
  return sourceOfItems(isIterator(object) ? once(spend(object), count) : () => pullFromIterable(object));
}

function sourceOfFile({ name, type, size }: FileInfo, pull: () => PullSource): AttachmentSource {
  return { kind: "blob", open: () => ({ pull: pull(), file: { name, type, size } }) };
}

function sourceOfItems(pull: () => PullSource): AttachmentSource {
  return { kind: "stream", open: () => ({ pull: pull(), file: undefined }) };
}

function once(pull: PullSource, count: number): () => PullSource {
  if (count === 1) return () => pull;
  const readers = multicast(pull, count);
  return () => readers.shift()!;
}

function lock(stream: ReadableStream<unknown>): PullSource {
  if (!stream.locked) return pullFromStream(stream);
  throw new BonevalueError("unsupported", "A stream that is being read already cannot be sent: tee() it before.");
}

// Nothing about an iterator says that somebody reads it, and two readers would each get some of its items.
const spent = new WeakSet<object>();

function spend(iterator: AsyncIterable<unknown>): PullSource {
  if (!spent.has(iterator)) {
    spent.add(iterator);
    return pullFromIterable(iterator);
  }
  throw new BonevalueError(
    "unsupported",
    "A generator that has been sent cannot be sent again: call its function anew.",
  );
}

// With its frame around it a chunk still fits the largest message.
const chunkSize = 64 * 1_024 - 64;

async function* chunksOf(blob: Blob): AsyncGenerator<Uint8Array, void, void> {
  for await (const bytes of iterate(blob.stream())) {
    for (let at = 0; at < bytes.length; at += chunkSize) yield bytes.subarray(at, at + chunkSize);
  }
}
