import type { StandardSchemaV1 } from "@standard-schema/spec";
import { BonevalueError } from "../errors.ts";
import type { ContractCode } from "./module.ts";
import { longestMessage } from "./wire-errors.ts";

// A hostile value can break a contract at each of its bytes, and each issue can quote it.
const maxIssues = 100;
const maxStepLength = 256;

/**
 * Validates a value that arrived: returns what `schema` makes of it, at once where the schema is synchronous. Throws or
 * rejects with `code`; the error's data is the first hundred of the schema's issues, long texts cut.
 */
export function validate(schema: StandardSchemaV1 | undefined, value: unknown, code: ContractCode): unknown {
  if (!schema) return value;
  try {
    const result = schema["~standard"].validate(value);
    if (!isThenable(result)) return accept(result, code);
    return Promise.resolve(result).then(
      (awaited) => accept(awaited, code),
      (error) => refuse(error, code),
    );
  } catch (error) {
    return refuse(error, code);
  }
}

/**
 * Validates like {@link validate}, and then calls `accepted` or `refused`: at once if the schema is synchronous. Otherwise
 * returns a promise, which resolves after the call.
 */
export function validateThen(
  schema: StandardSchemaV1 | undefined,
  value: unknown,
  code: ContractCode,
  accepted: (value: unknown) => void,
  refused: (error: unknown) => void,
): Promise<void> | undefined {
  try {
    const result = validate(schema, value, code);
    if (result instanceof Promise) return result.then(accepted, refused);
    accepted(result);
  } catch (error) {
    refused(error);
  }
  return undefined;
}

/** Whether a value is a promise, of any realm or library. */
export function isThenable<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  return typeof (value as PromiseLike<Value> | null | undefined)?.then === "function";
}

/** A schema that throws, for example in a transform, has not accepted the value. */
function refuse(error: unknown, code: ContractCode): never {
  if (error instanceof BonevalueError) throw error;
  throw new BonevalueError(code, `The contract failed on the value: ${error}`, { cause: error });
}

function accept(result: StandardSchemaV1.Result<unknown>, code: ContractCode): unknown {
  if (!result.issues) return result.value;
  const issues = result.issues
    .slice(0, maxIssues)
    .map(({ message, path }) => ({ message: message.slice(0, longestMessage), path: Array.from(path ?? [], segment) }));
  const where = issues.map(({ message, path }) => (path.length > 0 ? `${path.join(".")}: ${message}` : message));
  throw new BonevalueError(code, `The value does not fit the contract: ${where.join("; ")}`, { data: issues });
}

/** A step of an issue's path, in a form that can cross the wire. */
function segment(step: PropertyKey | StandardSchemaV1.PathSegment): string | number {
  const key = typeof step === "object" ? step.key : step;
  return typeof key === "number" ? key : String(key).slice(0, maxStepLength);
}
