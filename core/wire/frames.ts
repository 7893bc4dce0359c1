/** The protocol's version, told in the hello; the lower of two is spoken. */
export const wireVersion = 1;

/** The largest message that we make or take, in bytes: a chunk of 64 KiB with its frame around it. */
export const maxMessageSize: number = 68 * 1_024;

/** The largest value that travels on *lossy*, in bytes: with its frame it fits one packet. */
export const maxLossySize = 1_024;

/** The data channels of a link. */
export type Channel = "control" | "bulk" | "lossy";

/** The first element of every frame. */
export const Kind = {
  hello: 0,
  call: 1,
  answer: 2,
  fail: 3,
  cancel: 4,
  item: 5,
  end: 6,
  credit: 7,
  stop: 8,
  part: 9,
  close: 10,
  signal: 11,
  notify: 12,
} as const;

/** What a side tells of itself first: its limits as a receiver. Sizes in bytes. */
export interface Hello {
  readonly peer: string;
  /** Largest data-channel message. */
  readonly message: number;
  /** Largest value: one request, response or item. */
  readonly value: number;
  /** Requests handled at once. */
  readonly calls: number;
  /** Streams open at once. */
  readonly streams: number;
  /** Credit that every stream begins with. */
  readonly window: number;
  /** Unfinished values together. */
  readonly assembly: number;
  /** Reserved for an identity proof. */
  readonly identity?: unknown;
}

/** Steps of the idle close. */
export const CloseStep = { offer: 0, accept: 1, decline: 2 } as const;

/**
 * Every frame, as the tuple that crosses the wire. `V` is a value's form at that point: packed on the way out, received
 * on the way in. `remaining` is in ms, `null` for a call without a deadline.
 */
export type Frame<V> =
  | readonly [kind: typeof Kind.hello, version: number, hello: Hello]
  | readonly [kind: typeof Kind.call, call: number, module: string, request: V, remaining: number | null]
  | readonly [kind: typeof Kind.answer, call: number, value: V]
  | readonly [kind: typeof Kind.fail, call: number, code: string, message: string, data?: V]
  | readonly [kind: typeof Kind.cancel, call: number, code: string]
  | readonly [kind: typeof Kind.item, stream: number, value: V]
  | readonly [kind: typeof Kind.end, stream: number, code?: string, message?: string]
  | readonly [kind: typeof Kind.credit, stream: number, read: number, limit: number]
  | readonly [kind: typeof Kind.stop, stream: number, code: string]
  | readonly [kind: typeof Kind.part, slot: number, rest: number, bytes: Uint8Array]
  | readonly [kind: typeof Kind.close, step: number, code?: string]
  | readonly [kind: typeof Kind.signal, zero: 0, signal: unknown]
  | readonly [kind: typeof Kind.notify, zero: 0, module: string, request: V];
