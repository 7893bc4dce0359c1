import { BonevalueError } from "../errors.ts";
import { type Received, unpackValue } from "../wire/codec.ts";
import type { Receive } from "../wire/restore.ts";
import type { Outcome } from "./replies.ts";

/**
 * A value that arrived, or `unsupported` where this runtime cannot make it: then only what waits for it fails. Throws
 * `protocol` where it is malformed.
 */
export function unpack(received: Received, receive?: Receive): Outcome {
  try {
    return { value: unpackValue(received, receive) };
  } catch (error) {
    if (error instanceof BonevalueError && error.code === "unsupported") return { error };
    throw error;
  }
}
