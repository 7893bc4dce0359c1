import { anything, type Check, count, object, text } from "../checks.ts";
import { BonevalueError } from "../errors.ts";
import { type Frame, type Hello, Kind, wireVersion } from "../wire/frames.ts";
import { smallFrame } from "../wire/lanes.ts";

const isHello: Check<Hello> = object({
  peer: text(),
  // What may be sent before the hello is read must fit in one.
  message: count(smallFrame),
  value: count(1),
  calls: count(1),
  streams: count(1),
  window: count(1),
  assembly: count(1),
  identity: anything,
});

/** The frame with which each side begins on *control* and on *bulk*. */
export function sayHello(own: Hello): Frame<never> {
  return [Kind.hello, wireVersion, own];
}

/**
 * The other side's limits. Throws `protocol` where the frame is no hello, `incompatible` for a version that we do not
 * speak, and `identity-mismatch` where another peer than `peer` answers.
 */
export function readHello(frame: Frame<unknown>, peer: string): Hello {
  if (frame[0] !== Kind.hello) throw new BonevalueError("protocol", "The peer sent something before its hello.");
  const [, version, data] = frame;
  if (!Number.isInteger(version) || version < 1) {
    throw new BonevalueError("incompatible", `The peer speaks version ${version}: update the app on that side.`);
  }
  if (!isHello(data)) throw new BonevalueError("protocol", "The peer's hello is malformed.");
  if (data.peer !== peer) {
    throw new BonevalueError("identity-mismatch", "Another peer answered than the one that was dialled.");
  }
  return data;
}
