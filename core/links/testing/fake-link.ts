import type { BonevalueError } from "../../errors.ts";
import type { Link } from "../../transport/transport.ts";

/** A link for specs that is open and carries nothing, but for what is its `own`. */
export function createFakeLink(own: Partial<Link> = {}): Link {
  const { promise: closed, resolve: close } = Promise.withResolvers<BonevalueError | undefined>();
  return {
    opened: Promise.resolve(),
    closed,
    maxMessage: 65_536,
    buffered: 0,
    lowMark: 0,
    listen: () => {},
    send: () => {},
    close,
    ...own,
  };
}
