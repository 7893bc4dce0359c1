import { limitsOf } from "../../limits.ts";
import { encode } from "../codec.ts";
import { type CompleteFrame, createFrameReader } from "../frame-reader.ts";
import { Kind } from "../frames.ts";

/** Reads what a scheduler sent on a reliable channel, within the limits of a hello. */
export interface TestReader {
  read(message: Uint8Array): readonly CompleteFrame[];
  /** Throws if a value is unfinished: then the largest possible frame may not begin. Call it last. */
  requireNothingUnfinished(): void;
}

/** Limits in bytes, `depth` in levels. `assembly` must be less than `value`. */
export function createTestReader(limits: { value: number; depth: number; assembly: number }): TestReader {
  const reader = createFrameReader(
    { now: () => 0 },
    limitsOf({ messageSize: limits.value, depth: limits.depth, bytesPerPeer: limits.assembly * 2 }),
  );
  const read = (message: Uint8Array) => reader("bulk", Uint8Array.from(message));
  return {
    read,
    requireNothingUnfinished: () => void read(encode([Kind.part, 2 ** 50, limits.value, Uint8Array.of(1)])),
  };
}
