import { createHash } from "./hash.ts";

/** Received stream data. Times in ms, on a clock that all pages of a machine share; sizes in bytes. */
export interface ReceivedBytes {
  /** Adds a chunk. */
  add(chunk: Uint8Array): Promise<void> | void;
  /** The bytes since the last `reset`, and the current time. */
  progress(): { readonly bytes: number; readonly at: number };
  /** Waits for `size` bytes since the last `reset`. Resolves to the time. */
  waitFor(size: number): Promise<number>;
  /** The hash of the bytes since the last `reset`, if that enabled hashing. */
  hash(): number;
  reset(options?: ReceiveOptions): void;
}

/** Options of `reset`. */
export interface ReceiveOptions {
  readonly hashed?: boolean;
  /** After `from` bytes, accepts only `rate` bytes a second for `time` ms. */
  readonly hold?: { readonly from: number; readonly time: number; readonly rate: number };
}

/** Creates an empty record. */
export function createReceivedBytes(): ReceivedBytes {
  let options: ReceiveOptions = {};
  let bytes = 0;
  let hash = createHash();
  let heldSince: number | undefined;
  let awaited: { readonly size: number; resolve(at: number): void } | undefined;

  const now = () => performance.timeOrigin + performance.now();
  const look = () => {
    if (awaited && bytes >= awaited.size) awaited.resolve(now());
  };

  /** How long to wait before more is taken. */
  function wait(): number {
    const { hold } = options;
    if (!hold || bytes < hold.from) return 0;
    heldSince ??= now();
    const elapsed = now() - heldSince;
    const left = hold.time - elapsed;
    return Math.min(left, ((bytes - hold.from) / hold.rate) * 1_000 - elapsed);
  }

  return {
    add(chunk) {
      bytes += chunk.length;
      if (options.hashed) hash.add(chunk);
      look();
      const time = options.hold ? wait() : 0;
      return time > 0 ? new Promise((resolve) => setTimeout(resolve, time)) : undefined;
    },
    progress: () => ({ bytes, at: now() }),
    waitFor: (size) =>
      new Promise((resolve) => {
        awaited = { size, resolve };
        look();
      }),
    hash: () => hash.value(),
    reset(wanted = {}) {
      options = wanted;
      bytes = 0;
      hash = createHash();
      heldSince = awaited = undefined;
    },
  };
}
