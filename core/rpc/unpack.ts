import { BonevalueError } from "../errors.ts";
import { type Received, unpackValue } from "../wire/codec.ts";
import type { AttachmentReceiver } from "../wire/deserialize.ts";
import type { Outcome } from "./replies.ts";

/**
 * A value that arrived, or `unsupported` where this runtime cannot make it: then only what waits for it fails. Throws
 * `protocol` where it is malformed.
 */
export function unpack(received: Received, receive?: AttachmentReceiver): Outcome {
  try {
    return { value: unpackValue(received, receive) };
  } catch (error) {
    if (error instanceof BonevalueError && error.code === "unsupported") return { error };
    throw error;
  }
}
