import { type Chunks, concatIfNeeded, lengthOf } from "./concat-bytes.ts";

/** Batches frames into messages. */
export interface MessageBatcher {
  /** Bytes of the current message. */
  readonly size: number;
  /** Bytes that still fit into the current message. */
  readonly available: number;
  /** Adds a complete frame to the current message, or to a new one. Calls `onSent` after its message was sent. */
  add(frame: Chunks, onSent?: () => void): void;
  /** Sends the current message, if it holds any frame. */
  flush(): void;
}

/** Fills messages of at most `limit()` bytes. No frame may be larger. `send` must not keep the bytes. */
export function createMessageBatcher(
  limit: () => number,
  send: (message: Uint8Array<ArrayBuffer>) => void,
): MessageBatcher {
  let chunks: Uint8Array<ArrayBuffer>[] = [];
  let callbacks: (() => void)[] = [];
  let size = 0;

  function flush(): void {
    if (size === 0) return;
    const [message, sent] = [concatIfNeeded(chunks), callbacks];
    chunks = [];
    callbacks = [];
    size = 0;
    send(message);
    for (const onSent of sent) onSent();
  }

  const batcher: MessageBatcher = {
    get size() {
      return size;
    },
    get available() {
      return limit() - size;
    },
    add(frame, onSent) {
      const length = lengthOf(frame);
      if (length > batcher.available) flush();
      chunks.push(...frame);
      size += length;
      if (onSent) callbacks.push(onSent);
    },
    flush,
  };
  return batcher;
}
