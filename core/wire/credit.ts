import { protocolError } from "./protocol-error.ts";

// Credit-based flow control for each stream (Kung and Morris, "Credit-Based Flow Control for ATM Networks", 1995), with a
// window that the receiver sizes (Fisk and Feng, "Dynamic Right-Sizing in TCP", 2001).
//
// All counts are bytes of item frames since the stream began. The consumer grants a limit, and the producer may begin an
// item while it has sent less than the limit; an item counts as a whole, and is finished once it was begun. The limit is
// always the bytes read plus the window, so at most a window and one item are in transit or unread.
//
// The window follows the *reading* rate: it is twice the bytes that are read in one round trip and 30 ms. A grant is
// due when half of the window is free, so while the grant travels the producer has more than a round trip's worth left.
//
// - The rate is measured over a round trip or 30 ms, whichever is longer. While the window itself limits the producer, one
//   window is read in each round trip, and twice that doubles it, until the link or the reader is the limit. A slow reader
//   brings it down in the same way, and memory with it.
// - The round trip is the time from a grant to the first item that could only begin because of that grant. It is exact if
//   the producer was waiting, which shows as a gap before that item. Otherwise it is too long, and counts only if it is the
//   shortest so far.

/** The producer's side of one stream's credit. */
export interface OutgoingCredit {
  /** Whether an item may begin. */
  readonly mayBegin: boolean;
  readonly sent: number;
  /** The bytes that the consumer has acknowledged as read. */
  readonly read: number;
  /** Counts an item frame of `bytes`. */
  begin(bytes: number): void;
  /** Applies a grant. Throws `protocol` if it takes something back, or acknowledges more than was sent. */
  grant(read: number, limit: number): void;
}

/** Creates the credit of a stream whose first `window` bytes need no grant. */
export function createOutgoingCredit(window: number): OutgoingCredit {
  let sent = 0;
  let read = 0;
  let limit = window;
  return {
    get mayBegin() {
      return sent < limit;
    },
    get sent() {
      return sent;
    },
    get read() {
      return read;
    },
    begin(bytes) {
      sent += bytes;
    },
    grant(newRead, newLimit) {
      if (newRead < read || newRead > sent || newLimit < limit) {
        throw protocolError("an unexpected frame");
      }
      read = newRead;
      limit = newLimit;
    },
  };
}

/** The content of a `credit` frame. */
export interface Grant {
  readonly read: number;
  readonly limit: number;
}

/** The consumer's side of one stream's credit. Times in ms, of any monotonic clock. */
export interface IncomingCredit {
  /** Counts an item frame that arrived. Throws `protocol` if it was begun without credit. */
  receive(bytes: number, now: number): void;
  /** Counts an item frame whose item was read. Returns the grant to send, if one is due. */
  consume(bytes: number, now: number): Grant | undefined;
  /** The bytes that may be on their way or unread. */
  readonly window: number;
}

/** Bounds of a stream's window, in bytes. */
export interface WindowBounds {
  /** The first window, and the smallest. */
  readonly min: number;
  /** The stream's current share of the bytes that may be buffered for its peer. */
  max(): number;
}

/**
 * The first window: four items of 64 KiB. Two of them keep the link busy while a grant travels, also if the link is slow or the
 * page reads rarely. 64 streams of a hostile peer hold at most 16 MiB.
 */
export const defaultWindow: number = 256 * 1_024;

/** The largest window. It fills 40 MB/s at a round trip of 100 ms, which is more than browsers move over a data channel. */
export const maxWindow: number = 4 * 1_024 * 1_024;

// On the shortest round trip a window lasts for twice this long, in ms, so a grant is sent every 30 ms. Grants cost little at
// that rate: in the time of one, a link moves about 6 KiB of a stream.
const grantInterval = 30;

/** Creates the credit of a stream whose first grant, of `min` bytes, is sent. */
export function createIncomingCredit({ min, max }: WindowBounds): IncomingCredit {
  const throughput = createThroughputEstimate();
  const roundTrip = createRoundTripEstimate();
  let window = min;
  let limit = min;
  let received = 0;
  let read = 0;

  function adjustWindow(now: number): void {
    const rate = throughput.measure(read, now, Math.max(roundTrip.value, grantInterval));
    if (rate === undefined) return;
    const wanted = Math.min(rate * 2 * (roundTrip.value + grantInterval), window * 2, max());
    // It shrinks by halves, so that a reader which only hesitated loses little.
    window = Math.max(min, wanted, Math.min(window / 2, max()));
  }

  return {
    get window() {
      return window;
    },
    receive(bytes, now) {
      if (received >= limit) throw protocolError("more than is allowed");
      throughput.start(now);
      roundTrip.onItem(received, now);
      received += bytes;
    },
    consume(bytes, now) {
      read += bytes;
      adjustWindow(now);
      const next = Math.floor(read + window);
      // A window that may not grow further is smaller than it should be, so less of it may be free while a grant travels.
      if (next - limit < window / (window < max() ? 2 : 4)) return undefined;
      roundTrip.onGrant(limit, now);
      limit = next;
      return { read, limit };
    },
  };
}

/** Measures bytes per ms, over spans that are long enough. */
function createThroughputEstimate() {
  let startedAt: number | undefined;
  let startCount = 0;
  return {
    start(now: number): void {
      startedAt ??= now;
    },
    measure(count: number, now: number, minSpan: number): number | undefined {
      if (startedAt === undefined || now - startedAt < minSpan) return undefined;
      const rate = (count - startCount) / (now - startedAt);
      startedAt = now;
      startCount = count;
      return rate;
    },
  };
}

// A longer wait means that the producer had nothing to send.
const maxRoundTrip = 2_000;

function createRoundTripEstimate() {
  let value: number | undefined;
  let probe: { readonly limit: number; readonly at: number } | undefined;
  let lastItemAt = 0;
  return {
    get value(): number {
      return value ?? 0;
    },
    /** To be called when a grant lets items begin beyond `limit`. */
    onGrant(limit: number, now: number): void {
      probe ??= { limit, at: now };
    },
    /** To be called when the item that begins at the count `start` arrives. */
    onItem(start: number, now: number): void {
      if (probe && start >= probe.limit) {
        const sample = Math.min(now - probe.at, maxRoundTrip);
        const hasWaited = now - lastItemAt > sample * 0.75;
        if (value === undefined) value = sample;
        else value = hasWaited ? value + (sample - value) / 4 : Math.min(value, sample);
        probe = undefined;
      }
      lastItemAt = now;
    },
  };
}
