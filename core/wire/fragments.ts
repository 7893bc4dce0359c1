import { encodePartHeader } from "./codec.ts";
import type { Chunks } from "./concat-bytes.ts";
import { protocolError } from "./protocol-error.ts";

// Fragmentation, as WebSocket and SCTP have it: a frame that is larger than a message travels as several `part` frames
// `[9, slot, remaining, bytes]`, between which other frames may be sent.
//
// - `slot` is a number that the sender gives to each fragmented frame. Parts of one slot arrive in order.
// - `remaining` is how many bytes follow this part. So the first part states the total, and each later part is checked
//   against it.
// - An empty part discards an unfinished frame.
//
// The hello's `assembly` bounds how much the receiver keeps for unfinished frames. Both sides count the same: a frame
// counts its total from its first part to its last. One frame of any size may always be unfinished.

/** The most bytes that a frame takes in addition to its value: kind, ids, names and messages. */
export const maxFrameOverhead = 4_096;

/** The largest overhead of a part, in bytes. */
export const maxPartOverhead = 21;

/** Returns what an unfinished frame of `total` bytes counts towards the receiver's `assembly`. */
export function reassemblyCost(total: number): number {
  // The bookkeeping of a slot takes memory too.
  return Math.max(total, 1_024);
}

/** Splits one frame into parts. */
export interface Fragmenter {
  /** Bytes that are still to be sent. */
  readonly remaining: number;
  /** Returns the next part, a frame of at most `size` bytes. `size` must be more than {@link maxPartOverhead}. */
  next(size: number): Chunks;
  /** Returns the part that makes the receiver discard the frame. */
  discard(): Uint8Array<ArrayBuffer>;
}

/** Splits `frame` for `slot`, which no other unfinished frame of the link may use. */
export function createFragmenter(frame: Uint8Array<ArrayBuffer>, slot: number): Fragmenter {
  let offset = 0;
  return {
    get remaining() {
      return frame.length - offset;
    },
    next(size) {
      const bytes = frame.subarray(offset, offset + size - maxPartOverhead);
      offset += bytes.length;
      return [encodePartHeader(slot, frame.length - offset, bytes.length), bytes];
    },
    discard: () => encodePartHeader(slot, 0, 0),
  };
}

/** Puts frames together from their parts. */
export interface Reassembler {
  /**
   * Adds a part, and returns the complete frame with the last one. Throws `protocol`, before it allocates memory, for a
   * part that does not continue its slot, and for a frame that exceeds the budget.
   */
  add(slot: number, remaining: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined;
  /** Bytes that the unfinished frames count. */
  readonly heldBytes: number;
}

/** Limits of a reassembler, in bytes. */
export interface ReassemblyBudget {
  /** Of one frame. */
  readonly maxFrame: number;
  /** Of all unfinished frames, unless there is only one. */
  readonly maxTotal: number;
}

interface UnfinishedFrame {
  buffer: Uint8Array<ArrayBuffer>;
  filled: number;
  readonly total: number;
}

/** Creates the reassembler of one link. Its memory grows with the bytes that have arrived, not with the announced size. */
export function createReassembler({ maxFrame, maxTotal }: ReassemblyBudget): Reassembler {
  const slots = new Map<number, UnfinishedFrame>();
  let heldBytes = 0;

  function begin(slot: number, total: number): UnfinishedFrame {
    const cost = reassemblyCost(total);
    if (total > maxFrame || (slots.size > 0 && heldBytes + cost > maxTotal)) {
      throw protocolError("more than is allowed");
    }
    heldBytes += cost;
    const frame = { buffer: new Uint8Array(), filled: 0, total };
    slots.set(slot, frame);
    return frame;
  }

  function end(slot: number, { total }: UnfinishedFrame): void {
    slots.delete(slot);
    heldBytes -= reassemblyCost(total);
  }

  return {
    get heldBytes() {
      return heldBytes;
    },
    add(slot, remaining, bytes) {
      const known = slots.get(slot);
      if (known && bytes.length === 0) return void end(slot, known);
      if (bytes.length === 0 || (known && known.total - known.filled - bytes.length !== remaining)) {
        throw protocolError("an unexpected frame");
      }
      const frame = known ?? begin(slot, remaining + bytes.length);
      append(frame, bytes);
      if (remaining > 0) return undefined;
      end(slot, frame);
      return frame.buffer;
    },
  };
}

// Most fragmented frames are items of streams, which fit into this at once.
const firstBufferSize = 64 * 1_024;

function append(frame: UnfinishedFrame, bytes: Uint8Array): void {
  const needed = frame.filled + bytes.length;
  if (needed > frame.buffer.length) {
    const grown = new Uint8Array(Math.min(frame.total, Math.max(needed, frame.buffer.length * 2, firstBufferSize)));
    grown.set(frame.buffer.subarray(0, frame.filled));
    frame.buffer = grown;
  }
  frame.buffer.set(bytes, frame.filled);
  frame.filled = needed;
}
