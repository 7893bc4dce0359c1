import { maxRelayMessageBytes } from "../../protocol/limits.ts";
import type { Channel } from "../transport.ts";
import { overhead } from "./record-cipher.ts";

// A record is a sequence of segments: `kind[1] ‖ length[3] ‖ data`. docs/protocol.md, "Relayed links".

/** The channels, in the order of their kinds of segments. Control goes first, and bulk last. */
export const channels: readonly Channel[] = ["control", "lossy", "bulk"];

/** The kinds of segments that carry no message. */
export const Kind = {
  /** Opens the link. */
  ready: 3,
  /** The bytes of messages that have arrived since the last one: `count[4]`. */
  ack: 4,
  ping: 5,
  pong: 6,
} as const;

/** The bytes of a segment before its data. */
export const headSize = 4;

/** The largest record before its encryption, in bytes. */
export const maxRecord: number = maxRelayMessageBytes - overhead;

/** The largest message, in bytes: a chunk of a stream, of 64 KiB, with its frame. */
export const maxMessage: number = maxRecord - headSize;

/** How many bytes of messages may be on their way without an ack. */
export const windowSize = 524_288;

/**
 * A receiver sends an ack when this many bytes have arrived: after every second chunk of a stream, since each ack is a
 * record. That is often enough that the sender never waits while bytes move.
 */
export const ackAfter = 98_304;
