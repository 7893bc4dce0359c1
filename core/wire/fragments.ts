import { encodePartHeader } from "./codec.ts";
import type { Chunks } from "./concat-bytes.ts";
import { protocolError } from "./protocol-error.ts";

/** Most bytes that a frame takes beside its value: kind, ids, names, messages. */
export const maxFrameOverhead = 4_096;

/** Most bytes that a part takes beside those that it carries. */
export const maxPartOverhead = 21;

/** What an unfinished value of `total` bytes counts against the receiver's `assembly`. */
export function reassemblyCost(total: number): number {
  // Each slot costs some memory, however little it holds.
  return Math.max(total, 1_024);
}

/** One frame that leaves in parts. */
export interface Fragmenter {
  /** Bytes still to come. */
  readonly remaining: number;
  /** The next part: a frame of at most `room` bytes, in chunks. `room` is more than `partHeader`. */
  next(room: number): Chunks;
  /** The part that tells the other side to forget what it has. */
  discard(): Uint8Array<ArrayBuffer>;
}

/** Cuts `frame` into parts for `slot`, a number that no other unfinished value on the link has. */
export function createFragmenter(frame: Uint8Array<ArrayBuffer>, slot: number): Fragmenter {
  let at = 0;
  return {
    get remaining() {
      return frame.length - at;
    },
    next(room) {
      const bytes = frame.subarray(at, at + room - maxPartOverhead);
      at += bytes.length;
      return [encodePartHeader(slot, frame.length - at, bytes.length), bytes];
    },
    discard: () => encodePartHeader(slot, 0, 0),
  };
}

/** Puts values together from the parts that arrive. */
export interface Reassembler {
  /**
   * Takes a part, and returns the whole frame with its last one. Throws `protocol` for a part that does not follow
   * from the last one of its slot, and for a value beyond a budget, before memory is given to it.
   */
  add(slot: number, rest: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined;
  /** Bytes that unfinished values count. */
  readonly heldBytes: number;
}

/** What an {@link Reassembler} takes, in bytes. */
export interface ReassemblyBudget {
  /** Most of one frame. */
  readonly maxFrame: number;
  /** Most of all that are unfinished, unless there is only one. */
  readonly maxTotal: number;
}

interface Unfinished {
  buffer: Uint8Array<ArrayBuffer>;
  filled: number;
  readonly total: number;
}

/** An assembly of one link. Its memory grows with what has arrived, from 64 KiB at most. */
export function createReassembler({ maxFrame, maxTotal }: ReassemblyBudget): Reassembler {
  const slots = new Map<number, Unfinished>();
  let held = 0;

  const begin = (slot: number, total: number): Unfinished => {
    if (total === 0) throw protocolError("an empty part of a value that was never begun");
    if (total > maxFrame) throw protocolError(`a value of ${total} bytes, more than the ${maxFrame} that may be`);
    const cost = reassemblyCost(total);
    if (slots.size > 0 && held + cost > maxTotal) throw protocolError("more unfinished values than may be at once");
    held += cost;
    const unfinished = { buffer: new Uint8Array(), filled: 0, total };
    slots.set(slot, unfinished);
    return unfinished;
  };

  const end = (slot: number, { total }: Unfinished) => {
    slots.delete(slot);
    held -= reassemblyCost(total);
  };

  return {
    get heldBytes() {
      return held;
    },
    add(slot, rest, bytes) {
      const known = slots.get(slot);
      if (known && bytes.length === 0) return void end(slot, known);
      const value = known ?? begin(slot, rest + bytes.length);
      if (bytes.length === 0 || value.total - value.filled - bytes.length !== rest) {
        throw protocolError("a part that does not follow from the last one");
      }
      append(value, bytes);
      if (rest > 0) return undefined;
      end(slot, value);
      return value.buffer;
    },
  };
}

// Most values that come in parts are a stream's items: these need not grow.
const firstBuffer = 64 * 1_024;

function append(value: Unfinished, bytes: Uint8Array): void {
  const needed = value.filled + bytes.length;
  if (needed > value.buffer.length) {
    const grown = new Uint8Array(Math.min(value.total, Math.max(needed, value.buffer.length * 2, firstBuffer)));
    grown.set(value.buffer.subarray(0, value.filled));
    value.buffer = grown;
  }
  value.buffer.set(bytes, value.filled);
  value.filled = needed;
}
