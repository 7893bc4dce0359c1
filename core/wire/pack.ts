import type { Annotation } from "./annotations.ts";
import { type SerializeOptions, serialize, tooLarge } from "./serialize.ts";
import { beginWrite, finishWrite, writeValue } from "./writer.ts";

/** A value as bytes. It is packed once, when it is sent, for all peers that it is sent to. */
export interface Packed {
  readonly bytes: Uint8Array;
  /** Bytes that follow `bytes` and were not copied. Only an item may have them. */
  readonly tail?: Uint8Array<ArrayBuffer> | undefined;
  readonly annotations: readonly Annotation[];
  readonly annotationBytes?: Uint8Array | undefined;
  /** Bytes that the value takes in a frame, annotations included. */
  readonly size: number;
  /** Whether it announces streams or blobs. */
  readonly hasAttachments: boolean;
}

/** Returns the bytes of `value` as it is now. Throws like `serialize`, and `too-large` for more than `options.size` bytes. */
export function pack(value: unknown, options: SerializeOptions): Packed {
  const { plain, annotations } = serialize(value, options);
  const packed = withAnnotations(msgpack(plain), annotations);
  if (packed.size > options.size) throw tooLarge(options);
  return packed;
}

/** Adds annotations to the bytes of a plain value. */
export function withAnnotations(bytes: Uint8Array, annotations: readonly Annotation[]): Packed {
  const annotationBytes = annotations.length > 0 ? msgpack(annotations) : undefined;
  const size = bytes.length + (annotationBytes?.length ?? 0);
  return { bytes, annotations, annotationBytes, size, hasAttachments: annotations.some(isAttachment) };
}

/** Whether an annotation announces a stream or a blob. */
export function isAttachment([, kind]: Annotation): boolean {
  return kind === "stream" || kind === "blob";
}

function msgpack(plain: unknown): Uint8Array<ArrayBuffer> {
  beginWrite();
  writeValue(plain);
  return finishWrite();
}
