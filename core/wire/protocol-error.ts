import { BonevalueError } from "../errors.ts";

/** The violations of docs/protocol.md. Limits that an app sets are named with their value. */
export type Violation =
  | "malformed data"
  | "an unexpected frame"
  | "more than is allowed"
  | `a value of more than ${number} bytes`
  | `more than ${number} frames in a second`;

/** The error for a peer that broke the protocol. It ends the link. */
export function protocolError(violation: Violation): BonevalueError {
  return new BonevalueError(
    "protocol",
    `The peer sent ${violation}, so the link was closed. Check that both sides run compatible versions.`,
  );
}
