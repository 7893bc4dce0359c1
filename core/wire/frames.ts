/** The version of the protocol that this side speaks. Peers use the lower version of the two hellos. */
export const wireVersion = 1;

/** The largest data-channel message, in bytes: a chunk of 64 KiB and its frame. */
export const maxMessageSize: number = 68 * 1_024;

/** The largest value on the *lossy* channel, in bytes: its frame fits into one network packet. */
export const maxLossySize = 1_024;

/** The most arrays and maps of one value. An empty one takes one byte of a message, and fifty bytes of memory. */
export const maxContainers: number = 1_048_576;

/** The largest value of presence, in bytes. */
export const maxPresenceSize: number = 16 * 1_024;

/** The data channels of a link. */
export type Channel = "control" | "bulk" | "lossy";

/** The kinds of frames: the first element of each frame. */
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
  ack: 13,
  refuse: 14,
  presence: 15,
} as const;

/** The limits of a side as a receiver, which it sends first. Sizes in bytes. */
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
  /** First credit of a stream. */
  readonly window: number;
  /** All unfinished values together. */
  readonly assembly: number;
  /** Extensions that the side understands, by name: {@link features}. Their frames are sent only to a side that names them. */
  readonly features?: readonly string[] | undefined;
  /** The sender's device key, then the receiver's device key. docs/protocol.md, "Keys in the hello". */
  readonly identity?: unknown;
}

/** The extensions that this version understands. `delivery`: the frames `ack` and `refuse`. `presence`: the frame of that name. */
export const features: readonly string[] = ["delivery", "presence"];

/** The kinds of presence frames. `stop` ends a subscription; a `value` without a value says that the name is withdrawn. */
export const PresenceStep = { subscribe: 0, stop: 1, value: 2, ack: 3 } as const;

/** Steps of the close handshake. */
export const CloseStep = { offer: 0, accept: 1, decline: 2 } as const;

/**
 * Every frame, as the tuple that crosses the wire. `V` is the form of a value: packed when it is sent, received when it
 * arrives. `remaining` is the time that is left for a call, in ms, or `null` without a deadline.
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
  | readonly [kind: typeof Kind.part, slot: number, remaining: number, bytes: Uint8Array]
  | readonly [kind: typeof Kind.close, step: number, code?: string]
  | readonly [kind: typeof Kind.signal, zero: 0, signal: unknown]
  | readonly [kind: typeof Kind.notify, zero: 0, module: string, request: V]
  | readonly [kind: typeof Kind.ack, handled: number]
  | readonly [kind: typeof Kind.refuse, count: number, module: string, code: string, message: string]
  | readonly [kind: typeof Kind.presence, step: number, name: string, version?: number, value?: V];
