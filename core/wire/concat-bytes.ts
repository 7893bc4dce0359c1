/** Bytes that belong one after the other. */
export type Chunks = readonly Uint8Array<ArrayBuffer>[];

/** How many bytes the chunks have. */
export function lengthOf(chunks: readonly Uint8Array[]): number {
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  return length;
}

/** The chunks in memory of their own. */
export function concatBytes(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return write(chunks, new Uint8Array(lengthOf(chunks)));
}

// New memory for each message would take longer than what is written to it.
let shared = new Uint8Array(0);

/** The chunks one behind the other, in memory that the next call writes to. */
export function concatIfNeeded(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = lengthOf(chunks);
  if (length > shared.length) shared = new Uint8Array(length);
  return write(chunks, shared.subarray(0, length));
}

function write(chunks: readonly Uint8Array[], memory: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  let at = 0;
  for (const chunk of chunks) {
    memory.set(chunk, at);
    at += chunk.length;
  }
  return memory;
}
