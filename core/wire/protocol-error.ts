import { BonevalueError } from "../errors.ts";

/** The error for a peer that broke the protocol; `what` completes "The peer sent …". It ends the link. */
export function protocolError(what: string): BonevalueError {
  return new BonevalueError(
    "protocol",
    `The peer sent ${what}, so the link was closed. Check that both sides run compatible versions.`,
  );
}
