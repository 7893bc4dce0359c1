import { type DecodeLimits, decode, type Received } from "./codec.ts";
import { createReassembler, envelope } from "./fragments.ts";
import { type Frame, Kind } from "./frames.ts";
import { protocolError } from "./protocol-error.ts";

/** A frame as it is read: whole, however it travelled. */
export type CompleteFrame = Exclude<Frame<Received>, readonly [typeof Kind.part, ...unknown[]]>;

/** What arrives on a link's reliable channels. */
export interface Inbox {
  /** The frames of one message; a value that came in parts is among those of the message with its last part. */
  read(message: Uint8Array): CompleteFrame[];
  /** Bytes that unfinished values count against `assembly`. */
  readonly held: number;
}

/** What a link's other side may send, in bytes but for `depth`. */
export interface InboxLimits extends DecodeLimits {
  /** Most bytes of values that came in part only. */
  readonly assembly: number;
}

/** An inbox of one link; `read` throws `protocol` for a message that is malformed or beyond a limit. */
export function createInbox(limits: InboxLimits): Inbox {
  const assembly = createReassembler({ frame: limits.value + envelope, together: limits.assembly });

  const take = (frame: Frame<Received>, frames: CompleteFrame[]) => {
    if (frame[0] !== Kind.part) return void frames.push(frame);
    const bytes = assembly.add(frame[1], frame[2], frame[3]);
    if (bytes) for (const inner of decode(bytes, limits)) frames.push(unparted(inner));
  };

  return {
    get held() {
      return assembly.held;
    },
    read(message) {
      const frames: CompleteFrame[] = [];
      for (const frame of decode(message, limits)) take(frame, frames);
      return frames;
    },
  };
}

function unparted(frame: Frame<Received>): CompleteFrame {
  if (frame[0] === Kind.part) throw protocolError("a part inside a part");
  return frame;
}
