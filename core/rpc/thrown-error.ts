import { BonevalueError } from "../errors.ts";
import type { ContractCode } from "./module.ts";

/** Longer messages are cut: they are for people, and cross with every failure. */
export const longestMessage = 1_024;

/** What a handler threw, as the error that its caller gets: the message, never the stack. */
export function thrownError(thrown: unknown): BonevalueError {
  if (thrown instanceof BonevalueError) return thrown;
  if (thrown instanceof Error) {
    return new BonevalueError("handler-failed", spell(thrown.message || thrown.name).slice(0, longestMessage));
  }
  return new BonevalueError("handler-failed", spell(thrown).slice(0, longestMessage), { data: thrown });
}

/** Why a value cannot be sent: what its own code throws while it is read counts as its fault. */
export function unsendable(thrown: unknown, code: ContractCode): BonevalueError {
  return thrown instanceof BonevalueError ? thrown : new BonevalueError(code, thrownError(thrown).message);
}

/** Anything can be thrown, also what has no text, or for a message something that is none. */
function spell(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return "The handler threw something that is no error.";
  }
}
