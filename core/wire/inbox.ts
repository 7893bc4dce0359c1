import { decode, type Incoming, type Received } from "./codec.ts";
import { type Frame, Kind } from "./frames.ts";
import { malformed } from "./malformed.ts";
import { createAssembly, envelope } from "./parts.ts";

/** A frame as it is read: whole, however it travelled. */
export type Whole = Exclude<Frame<Received>, readonly [typeof Kind.part, ...unknown[]]>;

/** What arrives on a link's reliable channels. */
export interface Inbox {
  /** The frames of one message; a value that came in parts is among those of the message with its last part. */
  read(message: Uint8Array): Whole[];
  /** Bytes that unfinished values count against `assembly`. */
  readonly held: number;
}

/** What a link's other side may send, in bytes but for `depth`. */
export interface InboxLimits extends Incoming {
  /** Most bytes of values that came in part only. */
  readonly assembly: number;
}

/** An inbox of one link; `read` throws `protocol` for a message that is malformed or beyond a limit. */
export function createInbox(limits: InboxLimits): Inbox {
  const assembly = createAssembly({ frame: limits.value + envelope, together: limits.assembly });

  const take = (frame: Frame<Received>, frames: Whole[]) => {
    if (frame[0] !== Kind.part) return void frames.push(frame);
    const bytes = assembly.add(frame[1], frame[2], frame[3]);
    if (bytes) for (const inner of decode(bytes, limits)) frames.push(unparted(inner));
  };

  return {
    get held() {
      return assembly.held;
    },
    read(message) {
      const frames: Whole[] = [];
      for (const frame of decode(message, limits)) take(frame, frames);
      return frames;
    },
  };
}

function unparted(frame: Frame<Received>): Whole {
  if (frame[0] === Kind.part) throw malformed("a part inside a part");
  return frame;
}
