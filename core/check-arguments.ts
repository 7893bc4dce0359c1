import { BonevalueError, type ErrorCode } from "./errors.ts";
import { labelOf } from "./protocol/labels.ts";

/** Throws `invalid-request` if `value` is not a function. `what` begins the message. */
export function requireFunction(value: unknown, what: string): void {
  if (typeof value !== "function") throw new BonevalueError("invalid-request", `${what} must be a function.`);
}

/** Whether `value` is a number of at least 0. NaN and strings are not. */
export function isNonNegativeNumber(value: unknown): boolean {
  return typeof value === "number" && value >= 0;
}

/** The error for an option `name` that must be a number of at least 0, or `what`. */
export function invalidNumber(name: string, what = "number of at least 0"): BonevalueError {
  return new BonevalueError("invalid-request", `\`${name}\` must be a ${what}.`);
}

/** Throws `invalid-request` if `schema` is given and is not a Standard Schema. */
export function requireSchema(schema: { readonly "~standard"?: { readonly validate?: unknown } } | undefined): void {
  if (schema && typeof schema["~standard"]?.validate !== "function")
    throw new BonevalueError("invalid-request", "Pass a Standard Schema, such as one of valibot or zod.");
}

/** Returns the name of something, normalized. Throws `code` unless it is a text of `min` to `max` code points. */
export function requireLabel(
  owner: string,
  given: unknown,
  min: number,
  max: number,
  code: ErrorCode = "invalid-request",
): string {
  const label = labelOf(given, min, max);
  if (label !== undefined) return label;
  throw new BonevalueError(code, `The name of ${owner} has ${min} to ${max} characters.`);
}

/** Whether `value` is an AbortSignal, of any realm, or missing. */
export function isAbortSignal(value: unknown): boolean {
  return value == null || typeof Object(value).addEventListener === "function";
}

/** Returns the error for an option `signal` that is something else. */
export function invalidAbortSignal(value: unknown): BonevalueError | undefined {
  if (isAbortSignal(value)) return undefined;
  return new BonevalueError("invalid-request", "`signal` must be an AbortSignal.");
}

/** Whether `value` is a string. */
export function isText(value: unknown): boolean {
  return typeof value === "string";
}
