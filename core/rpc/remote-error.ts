import { BonevalueError, isErrorCode } from "../errors.ts";

/** An error that crossed the wire. A code that a newer peer made reads as `handler-failed`. */
export function remoteError(code: string, message: string, data?: unknown): BonevalueError {
  return new BonevalueError(isErrorCode(code) ? code : "handler-failed", message, { data });
}
