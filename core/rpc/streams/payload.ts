import { BonevalueError } from "../../errors.ts";
import { type Packed, pack } from "../../wire/pack.ts";
import type { Attachment, SerializeOptions } from "../../wire/serialize.ts";
import { type AttachmentSource, attachmentSourceOf, type OutgoingStream } from "./outgoing-stream.ts";

/** A value for one peer. Its bytes announce its streams and blobs by their index in `streams`. */
export interface Payload {
  readonly packed: Packed;
  readonly streams: readonly OutgoingStream[];
}

const none: readonly OutgoingStream[] = Object.freeze([]);

/**
 * Packs a value for each of `count` peers. Throws like `pack`, and `unsupported` for a stream that is being read already.
 * The streams of the value are then cancelled, as they are whenever the value does not arrive.
 */
export function packPayloads(
  value: unknown,
  outgoing: Omit<SerializeOptions, "attach">,
  count: number,
): readonly Payload[] {
  const sources: AttachmentSource[] = [];
  // Without peers, the streams must still be found, to cancel them.
  const copies = Math.max(1, count);
  const attach = (object: object): Attachment | undefined => {
    const source = attachmentSourceOf(object, copies);
    return source && { kind: source.kind, detail: sources.push(source) - 1 };
  };
  const open = () => sources.map((source) => source.open());
  const cancel = (cause?: unknown) => {
    const reason = new BonevalueError("cancelled", "The value with the stream was not sent.", { cause });
    for (let copy = 0; copy < copies; copy++) cancelAll(open(), reason);
  };
  try {
    const packed = pack(value, { ...outgoing, attach });
    if (count === 0) cancel();
    if (sources.length === 0) return new Array(count).fill({ packed, streams: none });
    return Array.from({ length: count }, () => ({ packed, streams: open() }));
  } catch (error) {
    cancel(error);
    throw error;
  }
}

/** Cancels the streams of a payload that is not sent. */
export function discard({ streams }: Payload, reason: BonevalueError): void {
  cancelAll(streams, reason);
}

/** Whether other peers wait for this one, since they share a stream of the payload in lock-step. */
export function isShared({ streams }: Payload): boolean {
  return streams.some(({ pull }) => pull.isShared);
}

function cancelAll(streams: readonly OutgoingStream[], reason: BonevalueError): void {
  for (const { pull } of streams) pull.cancel(reason);
}
