import type { Clock } from "../clock.ts";
import { assemblyOf, type Limits } from "../limits.ts";
import type { Channel } from "../transport/transport.ts";
import { decode, type Received } from "../wire/codec.ts";
import { type Frame, Kind, largestLossy, largestMessage } from "../wire/frames.ts";
import { type CompleteFrame, createInbox } from "../wire/inbox.ts";
import { protocolError } from "../wire/protocol-error.ts";
import { createRateLimiter } from "./rate-limiter.ts";

type Tell = Extract<CompleteFrame, readonly [typeof Kind.notify, ...unknown[]]>;

/** The frames of one message. Throws `protocol` where it is malformed or beyond a limit. */
export type FrameReader = (channel: Channel, bytes: Uint8Array<ArrayBuffer>) => readonly CompleteFrame[];

/** Reads what arrives on one link, within its budgets. */
export function createFrameReader(clock: Clock, limits: Limits): FrameReader {
  const { depth, framesPerSecond } = limits;
  const inbox = createInbox({ value: limits.messageSize, depth, assembly: assemblyOf(limits) });
  const mayRead = createRateLimiter(clock, framesPerSecond, 1_000);

  return (channel, bytes) => {
    // Some platforms take a gigabyte in one.
    if (bytes.length > largestMessage) throw protocolError(`a message larger than ${largestMessage} bytes`);
    const frames = channel === "lossy" ? readLossy(bytes, depth) : inbox.read(bytes);
    // A message without any costs as much as one.
    if (!mayRead(frames.length || 1)) throw protocolError(`more than ${framesPerSecond} frames in a second`);
    return frames;
  };
}

function readLossy(bytes: Uint8Array, depth: number): readonly Tell[] {
  const frames = decode(bytes, { value: largestLossy, depth });
  if (!frames.every(isTell)) throw protocolError("something else than a message on lossy");
  return frames;
}

function isTell(frame: Frame<Received>): frame is Tell {
  return frame[0] === Kind.notify;
}
