import type { Signals } from "../page/signals.ts";

/** What a contestant keeps to where it leaves that to its user. Sizes in bytes. */
export interface Settings {
  /** While this much is buffered, nothing more is given to the channel. */
  readonly mark: number;
}

/** Bytes that a stream is made of. */
export type Chunk = Uint8Array<ArrayBuffer>;

/** The page that dials. */
export interface Caller {
  /** Sends a text that the other page sends back. */
  call(text: string): Promise<unknown>;
  /** Sends chunks, and asks for each when there is room for it. Resolves when the last was handed over, or later. */
  stream?(chunks: Iterable<Chunk>): Promise<void>;
  close(): void;
}

/** What the page that answers does with a chunk; ready for the next when it resolves, where the contestant can wait. */
export type Sink = (chunk: Uint8Array) => Promise<void> | void;

/** One way for two pages to talk, in the form that its own documentation shows. */
export interface Contestant {
  /** Resolves when calls can be made; one that dials on first use has no link by then. */
  dial(signals: Signals, settings: Settings): Promise<Caller>;
  /** Waits to be dialed, sends texts back and hands chunks to `sink`. Returns what ends it. */
  answer(signals: Signals, sink: Sink): () => void;
}
