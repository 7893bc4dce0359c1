/** A stream as it arrives: can be read with `for await` in every browser, Safari included. */
export type IncomingStream<Item> = ReadableStream<Item> & AsyncIterable<Item>;

/** What an incoming stream asks of whoever fills it. */
export interface IncomingStreamSource<Item> {
  /** Called once, before anything else. */
  start?(controller: ReadableStreamDefaultController<Item>): void;
  /** The reader waits for an item: gives it, or the end, now or later. */
  pull(controller: ReadableStreamDefaultController<Item>): void | Promise<void>;
  /** The reader wants no more. */
  cancel(reason: unknown): void | Promise<void>;
}

/** A stream that keeps nothing by itself: `pull` is not called before somebody reads. */
export function createIncomingStream<Item>(filling: IncomingStreamSource<Item>): IncomingStream<Item> {
  const stream = new ReadableStream<Item>(filling, { highWaterMark: 0 });
  if (!(Symbol.asyncIterator in stream)) {
    Object.defineProperty(stream, Symbol.asyncIterator, { value: () => iterate(stream), configurable: true });
  }
  return stream as IncomingStream<Item>;
}

/** Reads `stream` with `for await` where the browser does not know how to; leaving the loop cancels the stream. */
export async function* iterate<Item>(stream: ReadableStream<Item>): AsyncGenerator<Item, void, void> {
  const reader = stream.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    // Of a stream that has ended or failed nothing is left to cancel.
    reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}
