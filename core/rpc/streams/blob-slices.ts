// Loaded only where there is no `Blob#stream`, as under jsdom.

const sliceSize = 1_024 * 1_024;

/** Yields the bytes of `blob`, without `Blob#stream` and also without `Blob#arrayBuffer`. */
export async function* slicesOf(blob: Blob): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  for (let at = 0; at < blob.size; at += sliceSize) {
    const slice = blob.slice(at, at + sliceSize);
    yield new Uint8Array(await (typeof slice.arrayBuffer === "function" ? slice.arrayBuffer() : bufferOf(slice)));
  }
}

function bufferOf(blob: Blob): Promise<ArrayBuffer> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as ArrayBuffer);
    reader.onerror = () => reject(reader.error);
    reader.readAsArrayBuffer(blob);
  });
}
