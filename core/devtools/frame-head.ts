import { decode, type Received } from "../wire/codec.ts";
import { frameSchemas } from "../wire/frame-schema.ts";
import type { Frame } from "../wire/frames.ts";
import { endOfValue, readArrayHeader } from "../wire/scan.ts";

const nil = 0xc0;

/**
 * Reads a frame from its first part: everything before the value, and nil for the value and what follows it. Returns
 * `undefined` for a frame without a value. Throws `protocol` if it is malformed.
 */
export function readFrameHead(part: Uint8Array): Frame<Received> | undefined {
  const { length, from } = readArrayHeader(part, 0);
  const { valueAt } = frameSchemas[part[from]!] ?? { valueAt: -1 };
  if (valueAt < 0) return undefined;
  let at = from;
  for (let index = 0; index < valueAt; index++) at = endOfValue(part, at, { depth: 1, containers: 1 });
  const head = new Uint8Array(at + length - valueAt).fill(nil);
  head.set(part.subarray(0, at));
  const [frame] = decode(head, { value: length, depth: 1 });
  return frame;
}
