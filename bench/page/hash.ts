/** FNV-1a over 32-bit words: enough to notice a byte that is lost, changed or in another place, and quick. */
export interface Hash {
  /** Of chunks whose length is a multiple of four. */
  add(chunk: Uint8Array): void;
  value(): number;
}

/** The hash of nothing. */
export function createHash(): Hash {
  let hash = 0x811c9dc5;
  return {
    add(chunk) {
      const aligned = chunk.byteOffset % 4 === 0 ? chunk : chunk.slice();
      for (const word of new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)) {
        hash = Math.imul(hash ^ word, 0x01000193);
      }
    },
    value: () => hash >>> 0,
  };
}
