import { requireGlobal } from "../../missing-feature.ts";
import { iterate } from "./iterate.ts";

/** A stream that arrives. `for await` reads it in every browser, including Safari. */
export type IncomingStream<Item> = ReadableStream<Item> & AsyncIterable<Item>;

/** The source of an incoming stream's items. */
export interface IncomingStreamSource<Item> {
  /** Called once, before anything else. */
  start?(controller: ReadableStreamDefaultController<Item>): void;
  /** Called when the reader waits for an item. Enqueues one or ends the stream, now or later. */
  pull(controller: ReadableStreamDefaultController<Item>): void | Promise<void>;
  /** Called when the reader cancels. */
  cancel(reason: unknown): void | Promise<void>;
}

/** Creates a stream without a buffer: `pull` is not called before the first read. */
export function createIncomingStream<Item>(source: IncomingStreamSource<Item>): IncomingStream<Item> {
  const stream = new (requireGlobal("ReadableStream", "web-streams-polyfill"))<Item>(source, { highWaterMark: 0 });
  if (!(Symbol.asyncIterator in stream)) {
    Object.defineProperty(stream, Symbol.asyncIterator, { value: () => iterate(stream), configurable: true });
  }
  return stream as IncomingStream<Item>;
}
