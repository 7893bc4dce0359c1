import type { SignalChannel } from "../page/signal-channel.ts";

/** Settings that a library leaves to its user. Sizes in bytes. */
export interface DialSettings {
  /** The sender waits while this much is buffered. */
  readonly highWaterMark: number;
}

/** A chunk of a stream. */
export type Chunk = Uint8Array<ArrayBuffer>;

/** A request with five fields, as apps send it. */
export interface Order {
  readonly id: number;
  readonly customer: string;
  readonly total: number;
  readonly isPaid: boolean;
  readonly items: readonly string[];
}

/** The request of a call: a text or a structured value. */
export type CallValue = string | Order;

/** The page that dials. */
export interface Caller {
  /** Sends a value that the other page sends back. */
  call(value: CallValue): Promise<unknown>;
  /** Sends a one-way message, which the other page answers with another. Resolves when that arrives. */
  exchangeMessages?(text: string): Promise<unknown>;
  /** Sends chunks, and takes the next when there is space for it. Resolves when the last was passed on, or later. */
  stream?(chunks: Iterable<Chunk>): Promise<void>;
  close(): void;
}

/** Receives a chunk. If the library supports back-pressure, it waits for the promise before it reads the next. */
export type OnChunk = (chunk: Uint8Array) => Promise<void> | void;

/** A library under test, used as its documentation recommends. */
export interface Library {
  /** Resolves when calls can be made. A library that dials on first use has no link yet. */
  dial(signals: SignalChannel, settings: DialSettings): Promise<Caller>;
  /** Waits to be dialed, echoes calls and passes chunks to `onChunk`. Returns a function that stops it. */
  answer(signals: SignalChannel, onChunk: OnChunk): () => void;
}
