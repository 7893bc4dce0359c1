/** Bytes that follow each other. */
export type Chunks = readonly Uint8Array<ArrayBuffer>[];

/** Returns how many bytes the chunks have together. */
export function lengthOf(chunks: readonly Uint8Array[]): number {
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  return length;
}

/** Copies the chunks into new memory. */
export function concatBytes(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return copyInto(new Uint8Array(lengthOf(chunks)), chunks);
}

// To allocate memory for each message would take longer than to fill it.
let shared = new Uint8Array(0);

/** Returns the only chunk, or copies the chunks into memory that the next call overwrites. */
export function concatIfNeeded(chunks: Chunks): Uint8Array<ArrayBuffer> {
  if (chunks.length === 1) return chunks[0]!;
  const length = lengthOf(chunks);
  if (length > shared.length) shared = new Uint8Array(length);
  return copyInto(shared.subarray(0, length), chunks);
}

function copyInto(memory: Uint8Array<ArrayBuffer>, chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let offset = 0;
  for (const chunk of chunks) {
    memory.set(chunk, offset);
    offset += chunk.length;
  }
  return memory;
}
