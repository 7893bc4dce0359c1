import * as v from "valibot";
import { boundedCount } from "../bounded-schemas.ts";
import { BonevalueError } from "../errors.ts";
import { type Limits, maxAssemblyBytes } from "../limits.ts";
import type { LinkIdentity } from "../transport/transport.ts";
import { defaultWindow } from "../wire/credit.ts";
import { type Frame, features, type Hello, Kind, maxMessageSize, wireVersion } from "../wire/frames.ts";
import { protocolError } from "../wire/protocol-error.ts";
import { minMessageSize } from "../wire/send-scheduler.ts";

const hello: v.GenericSchema<unknown, Hello> = v.object({
  peer: v.string(),
  // A frame that is sent before the hello is read must fit in one message.
  message: boundedCount(minMessageSize),
  value: boundedCount(1),
  calls: boundedCount(1),
  streams: boundedCount(1),
  window: boundedCount(1),
  assembly: boundedCount(1),
  features: v.optional(v.array(v.string())),
  identity: v.optional(v.unknown()),
});

/** Returns the hello of the peer `peer`, which has these limits. */
export function helloOf(peer: string, limits: Limits): Hello {
  return {
    peer,
    message: maxMessageSize,
    value: limits.messageSize,
    calls: limits.requestsPerPeer,
    streams: limits.streamsPerPeer,
    window: defaultWindow,
    assembly: maxAssemblyBytes(limits),
    features,
  };
}

/** The first frame of each side on *control* and on *bulk*. */
export function createHello(own: Hello): Frame<never> {
  return [Kind.hello, wireVersion, own];
}

/**
 * Reads the peer's limits from its first frame. Throws `protocol` if the frame is no hello, `incompatible` if its
 * version is unknown, and `identity-mismatch` if it comes from another peer than `peer`, or names other keys than those that
 * signed the link's descriptions.
 */
export function readHello(frame: Frame<unknown>, peer: string, { accepts }: Pick<LinkIdentity, "accepts"> = {}): Hello {
  if (frame[0] !== Kind.hello) throw protocolError("an unexpected frame");
  const [, version, data] = frame;
  if (!Number.isInteger(version) || version < 1) {
    throw new BonevalueError("incompatible", `The peer uses protocol version ${version}. Update the app on that side.`);
  }
  const read = v.safeParse(hello, data);
  if (!read.success) throw protocolError("malformed data");
  if (read.output.peer !== peer) {
    throw new BonevalueError("identity-mismatch", "A different peer answered the dial. Call again.");
  }
  if (accepts && !accepts(read.output.identity)) {
    throw new BonevalueError(
      "identity-mismatch",
      "The peer's keys differ from those of its signals. Somebody may have changed them: compare safety numbers.",
    );
  }
  return read.output;
}
