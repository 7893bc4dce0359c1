import { BonevalueError } from "../../errors.ts";
import { report } from "../../events.ts";

/** A source of items that are sent: each is made when it is asked for. */
export interface PullSource {
  /** Whether other peers read the same items, so that each item waits until all of them ask for it. */
  readonly isShared?: boolean;
  /** Resolves with the next item. To be called only after the previous item has come. */
  next(): Promise<IteratorResult<unknown>>;
  /** Stops the producer of the items, and lets it clean up. */
  cancel(reason: BonevalueError): void;
}

/** Pulls from a stream, and locks it. Throws a TypeError if it is locked already. */
export function pullFromStream(stream: ReadableStream<unknown>): PullSource {
  const reader = stream.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<unknown>>,
    cancel: (reason) => void reader.cancel(reason).catch((error) => reportUnlessFailed(reader, error)),
  };
}

// A failed stream rejects `cancel` with the error that its reader got already.
function reportUnlessFailed(reader: ReadableStreamDefaultReader, error: unknown): void {
  reader.closed.then(
    () => report(error),
    () => {},
  );
}

/** Pulls from an async iterable. Without `iterator`, creates one when the first item is asked for. */
export function pullFromIterable(
  iterable: AsyncIterable<unknown>,
  iterator?: AsyncIterator<unknown> | undefined,
): PullSource {
  let isRead = false;
  return {
    async next() {
      isRead = true;
      iterator ??= iteratorOf(iterable);
      return iterator.next();
    },
    // Takes its turn after a `next` that is under way, if the iterator is a generator.
    cancel: () => void cleanUp(iterable, iterator, isRead),
  };
}

/** Whether `value` can be read with `for await`. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof (value as Partial<AsyncIterable<unknown>> | undefined | null)?.[Symbol.asyncIterator] === "function";
}

// An iterable does not show that it is being read, and two readers would each get some of its items.
const consumed = new WeakSet<object>();

/** Returns `source`, which can be read only once. Throws `unsupported` if it was passed here before. */
export function consumeOnce<Source extends object>(source: Source): Source {
  if (!consumed.has(source)) {
    consumed.add(source);
    return source;
  }
  throw new BonevalueError(
    "unsupported",
    "An iterable that can be read only once was already sent. Create one for each call.",
  );
}

/** Begins to read `iterable`. Throws `unsupported` if it returns an iterator that it has returned before. */
export function iteratorOf(iterable: AsyncIterable<unknown>): AsyncIterator<unknown> {
  const iterator = iterable[Symbol.asyncIterator]();
  return (iterator as unknown) === iterable ? iterator : consumeOnce(iterator);
}

async function cleanUp(
  iterable: AsyncIterable<unknown> & { destroy?(): void; close?(): unknown },
  iterator: AsyncIterator<unknown> | undefined,
  isRead: boolean,
): Promise<void> {
  try {
    await iterator?.return?.();
    // An iterator that was never read closes neither a Node stream nor an fs.Dir.
    if (iterable.destroy) iterable.destroy();
    else if (iterator && !isRead) await iterable.close?.();
  } catch (error) {
    report(error);
  }
}
