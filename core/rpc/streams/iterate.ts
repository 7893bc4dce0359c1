/** Iterates over `stream`, also in browsers that cannot do so themselves. Leaving the loop cancels the stream. */
export async function* iterate<Item>(stream: ReadableStream<Item>): AsyncGenerator<Item, void, void> {
  const reader = stream.getReader();
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
  } finally {
    // Rejects for a stream that has failed, which the loop has thrown already.
    reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}
