import * as v from "valibot";
import { boundedCount } from "../bounded-schemas.ts";
import { BonevalueError } from "../errors.ts";
import { type Frame, type Hello, Kind, wireVersion } from "../wire/frames.ts";
import { minMessageSize } from "../wire/send-scheduler.ts";

const hello: v.GenericSchema<unknown, Hello> = v.object({
  peer: v.string(),
  // What may be sent before the hello is read must fit in one.
  message: boundedCount(minMessageSize),
  value: boundedCount(1),
  calls: boundedCount(1),
  streams: boundedCount(1),
  window: boundedCount(1),
  assembly: boundedCount(1),
  identity: v.optional(v.unknown()),
});

/** The frame with which each side begins on *control* and on *bulk*. */
export function createHello(own: Hello): Frame<never> {
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
  const read = v.safeParse(hello, data);
  if (!read.success) throw new BonevalueError("protocol", "The peer's hello is malformed.");
  if (read.output.peer !== peer) {
    throw new BonevalueError("identity-mismatch", "Another peer answered than the one that was dialed.");
  }
  return read.output;
}
