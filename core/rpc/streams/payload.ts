import { BonevalueError } from "../../errors.ts";
import { type Packed, pack, type Received, unpackValue } from "../../wire/codec.ts";
import type { AttachmentReceiver } from "../../wire/deserialize.ts";
import type { Attachment, SerializeOptions } from "../../wire/serialize.ts";
import type { Outcome } from "../replies.ts";
import { type AttachmentSource, attachmentSourceOf, type OutgoingStream } from "./outgoing-stream.ts";

/** A value for one peer: its bytes, which announce its streams and blobs by their place in `streams`. */
export interface Payload {
  readonly packed: Packed;
  readonly streams: readonly OutgoingStream[];
}

const none: readonly OutgoingStream[] = Object.freeze([]);

/**
 * The value for each of `count` peers. Throws as `pack` does, and where a stream is being read already; the streams that
 * it holds are then cancelled, as they are whenever the value does not arrive.
 */
export function packPayloads(
  value: unknown,
  outgoing: Omit<SerializeOptions, "attach">,
  count: number,
): readonly Payload[] {
  const sources: AttachmentSource[] = [];
  // Where there is nobody, what the value holds is still found, and cancelled.
  const copies = Math.max(1, count);
  const attach = (object: object): Attachment | undefined => {
    const source = attachmentSourceOf(object, copies);
    return source && { kind: source.kind, detail: sources.push(source) - 1 };
  };
  const open = () => sources.map((source) => source.open());
  const cancel = (message: string, cause?: unknown) => {
    const reason = new BonevalueError("cancelled", message, { cause });
    for (let copy = 0; copy < copies; copy++) cancelAll(open(), reason);
  };
  try {
    const packed = pack(value, { ...outgoing, attach });
    if (count === 0) cancel("Nobody was there to send the stream to.");
    if (sources.length === 0) return new Array(count).fill({ packed, streams: none });
    return Array.from({ length: count }, () => ({ packed, streams: open() }));
  } catch (error) {
    cancel("The value that holds the stream cannot be sent.", error);
    throw error;
  }
}

/** The value for one peer; see {@link packPayloads}. */
export function packPayload(value: unknown, outgoing: Omit<SerializeOptions, "attach">): Payload {
  return packPayloads(value, outgoing, 1)[0]!;
}

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

/** Cancels the streams of a payload that is not sent. */
export function discard({ streams }: Payload, reason: BonevalueError): void {
  cancelAll(streams, reason);
}

/** Cancels the streams of a value that came too late to be sent. */
export function discardValue(value: unknown): void {
  const reason = new BonevalueError("cancelled", "The answer came too late: nobody waits for it.");
  try {
    const whole = { name: "response", code: "invalid-response", depth: 64, size: Number.POSITIVE_INFINITY } as const;
    discard(packPayload(value, whole), reason);
  } catch {
    // What cannot be packed has been cancelled, and would not have been sent either.
  }
}

/** Whether other peers wait for this one, since they read a stream of the payload in lock-step with it. */
export function isShared({ streams }: Payload): boolean {
  return streams.some(({ pull }) => pull.shared);
}

/** How many bytes the payload's streams have in all, where it holds files alone. */
export function totalFileSize({ streams }: Payload): number | undefined {
  let total = 0;
  for (const { file } of streams) {
    if (!file) return undefined;
    total += file.size;
  }
  return total;
}

function cancelAll(streams: readonly OutgoingStream[], reason: BonevalueError): void {
  for (const { pull } of streams) pull.cancel(reason);
}
