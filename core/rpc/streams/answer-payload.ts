import { BonevalueError } from "../../errors.ts";
import type { SerializeOptions } from "../../wire/serialize.ts";
import { discard, type Payload, packPayloads } from "./payload.ts";

/** Packs a value for one peer. See {@link packPayloads}. */
export function packPayload(value: unknown, outgoing: Omit<SerializeOptions, "attach">): Payload {
  return packPayloads(value, outgoing, 1)[0]!;
}

/** Cancels the streams of an answer that nobody gets. */
export function discardValue(value: unknown): void {
  // Most handlers of messages return nothing, and an error costs as much as the rest of a message.
  if (Object(value) !== value) return;
  const reason = new BonevalueError("cancelled", "The answer came too late. The call has ended.");
  try {
    const whole = { name: "response", code: "invalid-response", depth: 64, size: Number.POSITIVE_INFINITY } as const;
    discard(packPayload(value, whole), reason);
  } catch {
    // `packPayload` has cancelled the streams.
  }
}
