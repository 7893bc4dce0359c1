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

  const whole = (frame: Frame<Received>): Whole[] => {
    if (frame[0] !== Kind.part) return [frame];
    const bytes = assembly.add(frame[1], frame[2], frame[3]);
    return bytes ? decode(bytes, limits).map(unparted) : [];
  };

  return {
    get held() {
      return assembly.held;
    },
    read: (message) => decode(message, limits).flatMap(whole),
  };
}

function unparted(frame: Frame<Received>): Whole {
  if (frame[0] === Kind.part) throw malformed("a part inside a part");
  return frame;
}
