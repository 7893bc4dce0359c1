import type { Clock } from "../clock.ts";
import { type Limits, maxAssemblyBytes } from "../limits.ts";
import { createRateLimiter } from "../rate-limiter.ts";
import { decode, type Received } from "./codec.ts";
import { createReassembler, maxFrameOverhead } from "./fragments.ts";
import { type Channel, type Frame, Kind, maxLossySize, maxMessageSize } from "./frames.ts";
import { protocolError } from "./protocol-error.ts";

/** A frame that is complete, whether it arrived in one message or in parts. */
export type CompleteFrame = Exclude<Frame<Received>, readonly [typeof Kind.part, ...unknown[]]>;

/**
 * Returns the frames that are complete with this message, in order. Throws `protocol` for the whole message if it is
 * malformed or exceeds a limit.
 */
export type FrameReader = (channel: Channel, message: Uint8Array<ArrayBuffer>) => readonly CompleteFrame[];

/** Reads the messages of one link within its limits, and reassembles frames that arrive in parts. */
export function createFrameReader(clock: Pick<Clock, "now">, limits: Limits): FrameReader {
  const { depth, framesPerSecond, messageSize } = limits;
  const reassembler = createReassembler({
    maxFrame: messageSize + maxFrameOverhead,
    maxTotal: maxAssemblyBytes(limits),
  });
  const mayRead = createRateLimiter(clock, framesPerSecond, 1_000);

  return (channel, message) => {
    // Some platforms accept a gigabyte in one message.
    if (message.length > maxMessageSize) throw protocolError("more than is allowed");
    const isLossy = channel === "lossy";
    const frames = decode(message, { value: isLossy ? maxLossySize : messageSize, depth });
    // An empty message costs as much as a frame.
    if (!mayRead(frames.length || 1)) throw protocolError(`more than ${framesPerSecond} frames in a second`);
    const complete: CompleteFrame[] = [];
    for (const frame of frames) {
      if (isLossy && frame[0] !== Kind.notify && frame[0] !== Kind.presence) throw protocolError("an unexpected frame");
      if (frame[0] !== Kind.part) complete.push(frame);
      else {
        const [, slot, remaining, bytes] = frame;
        const assembled = reassembler.add(slot, remaining, bytes);
        if (assembled) complete.push(...decode(assembled, { value: messageSize, depth }).map(requireComplete));
      }
    }
    return complete;
  };
}

function requireComplete(frame: Frame<Received>): CompleteFrame {
  if (frame[0] === Kind.part) throw protocolError("an unexpected frame");
  return frame;
}
