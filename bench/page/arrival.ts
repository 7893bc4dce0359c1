import { createHash } from "./hash.ts";

/** What has arrived of streams. Times in ms, on a clock that all pages of a machine share; sizes in bytes. */
export interface Arrival {
  /** Takes a chunk. */
  take(chunk: Uint8Array): Promise<void> | void;
  /** How many bytes have come since the last `reset`, and what time it is. */
  progress(): { readonly bytes: number; readonly at: number };
  /** When the `size`th byte since the last `reset` came. */
  whole(size: number): Promise<number>;
  /** The hash of all that has come since the last `reset`, which asked for one. */
  hash(): number;
  reset(options?: ArrivalOptions): void;
}

/** How chunks are to be taken. */
export interface ArrivalOptions {
  readonly hashed?: boolean;
  /** For `time`, once `from` bytes have come, only `rate` bytes a second are taken. */
  readonly hold?: { readonly from: number; readonly time: number; readonly rate: number };
}

/** Nothing has arrived yet. */
export function createArrival(): Arrival {
  let options: ArrivalOptions = {};
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
    take(chunk) {
      bytes += chunk.length;
      if (options.hashed) hash.add(chunk);
      look();
      const time = options.hold ? wait() : 0;
      return time > 0 ? new Promise((resolve) => setTimeout(resolve, time)) : undefined;
    },
    progress: () => ({ bytes, at: now() }),
    whole: (size) =>
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
