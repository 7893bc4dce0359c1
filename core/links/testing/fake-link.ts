import type { BonevalueError } from "../../errors.ts";
import type { Link } from "../../transport/transport.ts";

/** Creates an open link that carries nothing. `overrides` replaces its methods and properties. */
export function createFakeLink(overrides: Partial<Link> = {}): Link {
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
    ...overrides,
  };
}
