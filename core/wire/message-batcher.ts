import { type Chunks, concatIfNeeded, lengthOf } from "./concat-bytes.ts";

/** Joins frames into messages. */
export interface MessageBatcher {
  /** Bytes of the message that is being filled. */
  readonly size: number;
  /** Bytes that it still takes. */
  readonly available: number;
  /** Takes a whole frame, which is sent with this message or begins the next; `sent` is told. */
  add(frame: Chunks, sent?: () => void): void;
  /** Sends what there is. */
  flush(): void;
}

/** Fills messages of at most `limit()` bytes; one frame is never larger. `send` keeps nothing of what it is given. */
export function createMessageBatcher(
  limit: () => number,
  send: (message: Uint8Array<ArrayBuffer>) => void,
): MessageBatcher {
  let chunks: Uint8Array<ArrayBuffer>[] = [];
  let told: (() => void)[] = [];
  let size = 0;

  const flush = () => {
    if (size === 0) return;
    const [[only, ...others], listeners] = [chunks, told];
    const message = only && others.length === 0 ? only : concatIfNeeded(chunks);
    chunks = [];
    told = [];
    size = 0;
    send(message);
    for (const sent of listeners) sent();
  };

  return {
    get size() {
      return size;
    },
    get available() {
      return limit() - size;
    },
    add(frame, sent) {
      const length = lengthOf(frame);
      if (length > limit() - size) flush();
      chunks.push(...frame);
      size += length;
      if (sent) told.push(sent);
    },
    flush,
  };
}
