/** How much to give a link at once, in bytes. Times in ms. */
export interface BufferTuning {
  /** Bulk waits while this much is buffered. */
  readonly highWaterMark: number;
  /** Largest message on bulk. */
  readonly messageSize: number;
  /** Something went out on control that somebody waits for: for a while nothing large may stand in its way. */
  onUrgent(now: number): void;
  /** The link has drained: bytes that it has moved in all, and whether it ran empty although bulk waits. */
  onDrained(now: number, moved: number, starved: boolean): void;
  /** The link was idle: what follows says something about it again. */
  onIdle(): void;
}

// SCTP ends one message before it begins another channel's: at 800 KB/s a call waits 20 ms for this.
const smallestMessage = 16 * 1_024;
const messageTime = 20;

// Between two Chromium pages a call that meets a stream takes 4 ms behind 64 or 96 KiB and 8 ms behind 128 KiB; the
// stream is slower by 14 % behind 64 KiB, and by 8 % behind 96. On a fresh link more than 256 KiB makes SCTP's slow start
// overshoot: the first 25 MB then take twice as long.
const smallestMark = 96 * 1_024;
const largestMark = 256 * 1_024;

// While calls are closer to each other than this, the mark stays small.
const hurryTime = 1_000;

/**
 * Messages grow from 16 KiB up to `largest()` with what the link moves in 20 ms. The mark grows when the link runs
 * empty although more is waiting, as it does on a page that is too busy to answer in time, unless there are calls to be
 * quick for.
 */
export function createBufferTuning(largest: () => number): BufferTuning {
  let mark = smallestMark;
  let message = smallestMessage;
  let hurried = Number.NEGATIVE_INFINITY;
  let since: { readonly at: number; readonly moved: number } | undefined;

  const measure = (now: number, moved: number) => {
    since ??= { at: now, moved };
    const elapsed = now - since.at;
    if (elapsed < messageTime) return;
    const inTime = ((moved - since.moved) * messageTime) / elapsed;
    message = Math.max(smallestMessage, Math.floor(inTime));
    since = { at: now, moved };
  };

  return {
    get highWaterMark() {
      return mark;
    },
    get messageSize() {
      return Math.min(message, largest());
    },
    onUrgent(now) {
      hurried = now;
      mark = smallestMark;
    },
    onDrained(now, moved, starved) {
      measure(now, moved);
      if (starved && now - hurried > hurryTime) mark = Math.min(largestMark, mark * 2);
    },
    onIdle() {
      since = undefined;
    },
  };
}
