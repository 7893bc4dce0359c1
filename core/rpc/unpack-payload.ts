import { BonevalueError } from "../errors.ts";
import { type Received, unpackValue } from "../wire/codec.ts";
import type { AttachmentReceiver } from "../wire/deserialize.ts";
import type { Outcome } from "./replies.ts";

/**
 * Reads a value that arrived. The outcome is `unsupported` where this runtime cannot make it, so that only its call fails.
 * Throws `protocol` where it is malformed.
 */
export function unpackPayload(received: Received, receive?: AttachmentReceiver): Outcome {
  try {
    return { value: unpackValue(received, receive) };
  } catch (error) {
    if (error instanceof BonevalueError && error.code === "unsupported") return { error };
    throw error;
  }
}
