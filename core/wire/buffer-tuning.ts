// How much to hand to the platform at once is a trade: bytes that it has buffered delay every call behind them, and a
// buffer that runs empty leaves the link idle until this page's next turn. Two sizes are tuned while bytes move:
//
// - `highWaterMark`: bulk waits while this much is buffered. It starts small, doubles each time the buffer runs empty
//   although more waits (the page is too busy to refill it in time), and is small again for a second after each frame on
//   control that a call waits for.
// - `messageSize`: what the link moves in 20 ms, since SCTP finishes a message before it begins another channel's. On a
//   slow link a call would otherwise wait for a whole message of 68 KiB.
//
// The constants were measured between two Chromium pages: see docs/decisions/send-scheduling.md.

/** How much to hand to a link at once, in bytes. Times in ms. */
export interface BufferTuning {
  /** Bulk waits while this much is buffered. */
  readonly highWaterMark: number;
  /** The largest message on bulk. */
  readonly messageSize: number;
  /** To be called when control sent a frame that a call waits for. */
  onUrgent(now: number): void;
  /** To be called when the buffer has drained. `moved`: bytes in all; `isStarved`: it is empty although bulk waits. */
  onDrained(now: number, moved: number, isStarved: boolean): void;
  /** To be called before the first bytes after a pause, which must not count as slowness. */
  onIdle(): void;
}

const minBulkMessage = 16 * 1_024;
const messageDuration = 20;

// A call beside a stream takes 4 ms with 64 or 96 KiB, and 8 ms with 128 KiB. The stream is slower by 14 % with 64 KiB,
// and by 8 % with 96 KiB. On a new link more than 256 KiB lets SCTP's slow start overshoot: the first 25 MB take twice as long.
const minHighWaterMark = 96 * 1_024;
const maxHighWaterMark = 256 * 1_024;

const urgentDuration = 1_000;

/** Creates the tuning of one link, whose messages have at most `maxMessageSize()` bytes. */
export function createBufferTuning(maxMessageSize: () => number): BufferTuning {
  let highWaterMark = minHighWaterMark;
  let messageSize = minBulkMessage;
  let urgentAt = Number.NEGATIVE_INFINITY;
  let last: { readonly at: number; readonly moved: number } | undefined;

  function measure(now: number, moved: number): void {
    last ??= { at: now, moved };
    const elapsed = now - last.at;
    if (elapsed < messageDuration) return;
    messageSize = Math.max(minBulkMessage, Math.floor(((moved - last.moved) * messageDuration) / elapsed));
    last = { at: now, moved };
  }

  return {
    get highWaterMark() {
      return highWaterMark;
    },
    get messageSize() {
      return Math.min(messageSize, maxMessageSize());
    },
    onUrgent(now) {
      urgentAt = now;
      highWaterMark = minHighWaterMark;
    },
    onDrained(now, moved, isStarved) {
      measure(now, moved);
      if (isStarved && now - urgentAt > urgentDuration) highWaterMark = Math.min(maxHighWaterMark, highWaterMark * 2);
    },
    onIdle() {
      last = undefined;
    },
  };
}
