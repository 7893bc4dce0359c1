import { BonevalueError } from "./errors.ts";

/** Throws `invalid-request` where an app gave something else than a function. `what` begins the message. */
export function requireFunction(given: unknown, what: string): void {
  if (typeof given !== "function") throw new BonevalueError("invalid-request", `${what} has to be a function.`);
}

/** Whether it is a number from 0 on, and neither NaN nor a text from a form. */
export function isNonNegativeNumber(given: unknown): boolean {
  return typeof given === "number" && given >= 0;
}

/** The error for what an app gave as the `kind` of number that `name` has to be. */
export function invalidNumber(name: string, kind: "number" | "whole number" = "number"): BonevalueError {
  return new BonevalueError("invalid-request", `\`${name}\` has to be a ${kind} from 0 on.`);
}

/** Whether it can be listened to as a signal, or is none. */
export function isSignal(given: unknown): boolean {
  return given == null || typeof Object(given).addEventListener === "function";
}

/** Whether it says who signs in: texts, or a function for a token. */
export function isCredentials(given: unknown): boolean {
  const { username, invite = username, password, token } = Object(given);
  return isText(token) || typeof token === "function" || [invite, password].every(isText);
}

/** Whether it is a text. */
export function isText(given: unknown): boolean {
  return typeof given === "string";
}
