import type { BonevalueError } from "../../errors.ts";
import { report } from "../../events.ts";

/** Items on their way out, made one at a time as they are asked for. */
export interface PullSource {
  /** Others wait for its next item as well, which is made when all of them ask. */
  readonly shared?: boolean;
  /** The next item; asked for only once the last has come. */
  next(): Promise<IteratorResult<unknown>>;
  /** No more is wanted: whoever makes the items is told why, and cleans up. */
  cancel(reason: BonevalueError): void;
}

/** Pulls from a stream, which is locked from now on. Throws a TypeError when it is locked already. */
export function pullFromStream(stream: ReadableStream<unknown>): PullSource {
  const reader = stream.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<unknown>>,
    cancel: (reason) => void reader.cancel(reason).catch((error) => reportUnlessFailed(reader, error)),
  };
}

// A stream that has failed rejects its cancel with its own error, of which its reader knows.
function reportUnlessFailed(reader: ReadableStreamDefaultReader, error: unknown): void {
  reader.closed.then(
    () => report(error),
    () => {},
  );
}

/** Pulls from whatever can be read with `for await`; its iterator is made when the first item is asked for. */
export function pullFromIterable(iterable: AsyncIterable<unknown>): PullSource {
  let iterator: AsyncIterator<unknown> | undefined = isIterator(iterable) ? iterable : undefined;
  return {
    next() {
      try {
        iterator ??= iterable[Symbol.asyncIterator]();
        return Promise.resolve(iterator.next());
      } catch (error) {
        return Promise.reject(error);
      }
    },
    // Waits its turn behind a `next` that is under way, if the iterator is a generator.
    cancel: () => void cleanUp(iterator),
  };
}

/** Whether `value` can be read with `for await`. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof (value as Partial<AsyncIterable<unknown>> | undefined | null)?.[Symbol.asyncIterator] === "function";
}

/** Whether an iterable is its own iterator, as a generator is: its items can be had once. */
export function isIterator(iterable: AsyncIterable<unknown>): iterable is AsyncIterableIterator<unknown> {
  return typeof (iterable as Partial<AsyncIterator<unknown>>).next === "function";
}

async function cleanUp(iterator: AsyncIterator<unknown> | undefined): Promise<void> {
  try {
    await iterator?.return?.();
  } catch (error) {
    report(error);
  }
}
