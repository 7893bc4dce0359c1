import { BonevalueError, isErrorCode } from "../errors.ts";
import { isInstanceOf, typeTag } from "../type-tag.ts";
import type { ContractCode } from "./module.ts";

/** Most characters of an error's message that are sent. Messages are for people. */
export const longestMessage = 1_024;

/**
 * Converts what app code threw into the error that the peer gets: the message, never the stack. The original stays here
 * as the `cause`.
 */
export function thrownError(thrown: unknown): BonevalueError {
  if (thrown instanceof BonevalueError) return thrown;
  const isError = isErrorLike(thrown);
  const message = textOf(isError ? thrown.message || thrown.name : thrown).slice(0, longestMessage);
  return new BonevalueError("handler-failed", message, { cause: thrown, ...(!isError && { data: thrown }) });
}

/** Converts the reason why a value cannot be sent. What the value's own code throws while it is read has this `code`. */
export function unsendable(thrown: unknown, code: ContractCode): BonevalueError {
  if (thrown instanceof BonevalueError) return thrown;
  return new BonevalueError(code, thrownError(thrown).message, { cause: thrown });
}

/** Makes the error that a peer sent. A code of a newer version reads as `handler-failed`. */
export function remoteError(code: string, message: string, data?: unknown): BonevalueError {
  return new BonevalueError(isErrorCode(code) ? code : "handler-failed", message, { data });
}

/** The error of a stream that arrived and has no reader: an answer's after a while, a request's once it is answered. */
export function unreadError(): BonevalueError {
  return new BonevalueError("cancelled", "The stream was not read in time. Read it sooner, or request less.");
}

function isErrorLike(thrown: unknown): thrown is Error {
  return isInstanceOf(thrown, "Error") || typeTag(thrown) === "DOMException";
}

/** Writes a number of messages or requests for an error's text. */
export function countOf(count: number, noun: "message" | "request" = "message"): string {
  return count === 1 ? `a ${noun}` : `${count} ${noun}s`;
}

/** Anything can be thrown: an object without `toString`, or an error whose message is an object. */
function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return "The handler threw a value, not an error.";
  }
}
