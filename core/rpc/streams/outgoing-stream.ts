import { BonevalueError } from "../../errors.ts";
import { isInstanceOf } from "../../type-tag.ts";
import type { AttachmentKind } from "../../wire/annotations.ts";
import { isRemoteFile } from "./is-remote-file.ts";
import { chunksOf, infoOf, isBlob } from "./local-file.ts";
import { multicast } from "./multicast.ts";
import { consumeOnce, isAsyncIterable, iteratorOf, type PullSource, pullFromIterable, pullFromStream } from "./pull.ts";
import type { FileInfo } from "./remote-file.ts";

/** A stream or a blob that is sent to one peer. */
export interface OutgoingStream {
  readonly pull: PullSource;
  /** The description of a file or a blob; `undefined` for a stream. */
  readonly file: FileInfo | undefined;
}

/** A stream or a blob that was found in a value. */
export interface AttachmentSource {
  readonly kind: AttachmentKind;
  /** Called once for each peer. */
  open(): OutgoingStream;
}

/**
 * Returns how to send `object` to `count` peers, if it is a stream or a blob. A blob, and an object literal that is an
 * async iterable, is read once for each peer. Anything else can be read only once: all peers share it in lock-step, so that
 * nothing is kept for the slowest. It is in use from now on: a stream is locked, a received file is read, and an iterable
 * is marked. Throws `unsupported` if it was in use before.
 */
export function attachmentSourceOf(object: object, count: number): AttachmentSource | undefined {
  if (isBlob(object)) return fileSource(infoOf(object), () => pullFromIterable(chunksOf(object)));
  if (isRemoteFile(object)) return fileSource(object, share(lock(object.stream()), count));
  if (isReadableStream(object)) return itemSource(share(lock(object), count));
  if (!isAsyncIterable(object)) return undefined;
  if (isRepeatable(object)) return itemSource(() => pullFromIterable(object));
  // The iterator is created now, since a readline interface drops lines until it has an iterator.
  return itemSource(share(pullFromIterable(object, iteratorOf(consumeOnce(object))), count));
}

/** Whether `value` is a ReadableStream, of whichever realm. */
export function isReadableStream(value: unknown): value is ReadableStream<unknown> {
  return isInstanceOf(value, "ReadableStream");
}

// Nothing shows whether an instance of a class, such as a Node stream, gives its items to each reader or only once.
function isRepeatable(iterable: AsyncIterable<unknown>): boolean {
  const prototype: object | null = Object.getPrototypeOf(iterable);
  return !("next" in iterable) && (prototype === null || Object.getPrototypeOf(prototype) === null);
}

function fileSource({ name, type, size }: FileInfo, pull: () => PullSource): AttachmentSource {
  return { kind: "blob", open: () => ({ pull: pull(), file: { name, type, size } }) };
}

function itemSource(pull: () => PullSource): AttachmentSource {
  return { kind: "stream", open: () => ({ pull: pull(), file: undefined }) };
}

function share(pull: PullSource, count: number): () => PullSource {
  if (count === 1) return () => pull;
  const readers = multicast(pull, count);
  return () => readers.shift()!;
}

function lock(stream: ReadableStream<unknown>): PullSource {
  if (!stream.locked) return pullFromStream(stream);
  throw new BonevalueError("unsupported", "The stream is already being read. tee() it before you send it.");
}
