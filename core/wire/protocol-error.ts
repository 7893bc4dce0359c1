import { BonevalueError } from "../errors.ts";

/** The error that closes a link whose other side broke the protocol; `what` completes "The peer sent …". */
export function protocolError(what: string): BonevalueError {
  return new BonevalueError(
    "protocol",
    `The peer sent ${what}. It may run an incompatible version, or mean harm: its link is closed.`,
  );
}
