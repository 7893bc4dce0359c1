import { protocolError } from "./protocol-error.ts";

/** The producer's side of one stream's credit. All counts are bytes of item frames since the stream began. */
export interface OutgoingCredit {
  /** Whether an item may begin. It counts whole, and is finished whatever credit is left. */
  readonly mayBegin: boolean;
  readonly sent: number;
  /** What the consumer has read, as far as it has said. */
  readonly read: number;
  /** An item frame of `bytes` begins. */
  begin(bytes: number): void;
  /** The consumer's word. Throws `protocol` if it takes back what it said or has read what was never sent. */
  grant(read: number, limit: number): void;
}

/** Credit of a stream that begins with `window` bytes, as the receiver's hello says. */
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
    grant(nowRead, nowLimit) {
      if (nowRead < read || nowRead > sent || nowLimit < limit)
        throw protocolError("a credit that contradicts the last one");
      read = nowRead;
      limit = nowLimit;
    },
  };
}

/** What a `credit` frame says. */
export interface Grant {
  readonly read: number;
  readonly limit: number;
}

/** The consumer's side of one stream's credit. Times in ms, of any monotonic clock. */
export interface IncomingCredit {
  /** Counts an item frame. Throws `protocol` when it was begun without credit. */
  receive(bytes: number, now: number): void;
  /** Counts an item frame whose item was handed to the consumer; what to grant, when it is time to. */
  consume(bytes: number, now: number): Grant | undefined;
  /** Bytes that the stream aims to have on their way or waiting. */
  readonly window: number;
}

/** How far the window of a stream may move, in bytes. */
export interface WindowBounds {
  /** What every stream begins with, and never goes below. */
  readonly min: number;
  /** Asked anew at each step: the stream's share of what may be buffered for its peer. */
  max(): number;
}

/**
 * Four items of 64 KiB, so that a slow link or a page that reads now and then is kept busy by half of them while the
 * next grant is on its way; small enough that 64 streams of a hostile peer hold 16 MiB.
 */
export const defaultWindow: number = 256 * 1_024;

/** Fills 40 MB/s at a round trip of 100 ms, which is more than browsers move over a data channel. */
export const maxWindow: number = 4 * 1_024 * 1_024;

// On the shortest round trip a window lasts for twice this long, and a grant is due each 30 ms. It is a message of its own,
// for which both sides could have moved a tenth of a chunk.
const pace = 30;

/**
 * Credit that follows the rate at which items are *read*: the window is twice what is read in one round trip and
 * 30 ms. A grant is due when half of it is free, so while it travels the producer has more than a round trip's worth.
 *
 * - The rate is measured over a round trip or 30 ms, whichever is longer. Where the window itself is what holds the
 *   producer back, a window is read in each round trip: twice that is a doubling, until the link or the consumer is the
 *   limit. A consumer that reads slowly brings it down to `smallest` in the same way, and memory with it.
 * - The round trip is the time from a grant to the first item that could only begin because of it. It is exact where
 *   the producer was waiting, which shows as a gap before that item, and otherwise too long: then it only counts if it
 *   is the shortest.
 */
export function createIncomingCredit({ min, max }: WindowBounds): IncomingCredit {
  const rate = createThroughputEstimate();
  const roundTrip = createRoundTrip();
  let window = min;
  let limit = min;
  let arrived = 0;
  let read = 0;

  const adjust = (now: number) => {
    const measured = rate.at(read, now, Math.max(roundTrip.value, pace));
    if (measured === undefined) return;
    const wanted = Math.min(measured * 2 * (roundTrip.value + pace), window * 2, max());
    // Going down by halves forgives a consumer that only hesitated.
    window = Math.max(min, wanted, Math.min(window / 2, max()));
  };

  return {
    get window() {
      return window;
    },
    receive(bytes, now) {
      if (arrived >= limit) throw protocolError("an item for which it had no credit");
      rate.start(now);
      roundTrip.arrived(arrived, now);
      arrived += bytes;
    },
    consume(bytes, now) {
      read += bytes;
      adjust(now);
      const next = Math.floor(read + window);
      // Where the window may not be as large as it should, less of it can be spared while a grant travels.
      if (next - limit < window / (window < max() ? 2 : 4)) return undefined;
      roundTrip.granted(limit, now);
      limit = next;
      return { read, limit };
    },
  };
}

/** Bytes a ms, over spans that are long enough to say something. */
function createThroughputEstimate() {
  let since: number | undefined;
  let from = 0;
  return {
    start(now: number): void {
      since ??= now;
    },
    at(count: number, now: number, span: number): number | undefined {
      if (since === undefined || now - since < span) return undefined;
      const rate = (count - from) / (now - since);
      since = now;
      from = count;
      return rate;
    },
  };
}

// Longer waits are a producer's that had nothing to send.
const longestRoundTrip = 2_000;

function createRoundTrip() {
  let value: number | undefined;
  let probe: { readonly beyond: number; readonly at: number } | undefined;
  let last = 0;
  return {
    get value(): number {
      return value ?? 0;
    },
    /** From now on items may begin beyond `limit`. */
    granted(limit: number, now: number): void {
      probe ??= { beyond: limit, at: now };
    },
    arrived(begin: number, now: number): void {
      if (probe && begin >= probe.beyond) {
        const sample = Math.min(now - probe.at, longestRoundTrip);
        const waited = now - last > sample * 0.75;
        if (value === undefined) value = sample;
        else value = waited ? value + (sample - value) / 4 : Math.min(value, sample);
        probe = undefined;
      }
      last = now;
    },
  };
}
