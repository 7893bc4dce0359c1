import type { StandardSchemaV1 } from "@standard-schema/spec";
import { BonevalueError } from "../errors.ts";
import type { ContractCode } from "./module.ts";
import { isThenable } from "./thenable.ts";
import { longestMessage } from "./thrown-error.ts";

// A hostile value can break a contract at each of its bytes, and be quoted each time.
const mostIssues = 100;
const longestStep = 256;

/**
 * What `schema` makes of a value that arrived, at once where the schema is synchronous. Throws or rejects with `code`,
 * the first hundred of the schema's issues as its data, long texts cut.
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
 * As {@link validate}, for those who need no promise where the schema needs none: tells one of the two, at once or later.
 * Returns a promise in the second case.
 */
export function check(
  schema: StandardSchemaV1 | undefined,
  value: unknown,
  code: ContractCode,
  accepted: (value: unknown) => void,
  refused: (error: unknown) => void,
): Promise<void> | undefined {
  try {
    const made = validate(schema, value, code);
    if (made instanceof Promise) return made.then(accepted, refused);
    accepted(made);
  } catch (error) {
    refused(error);
  }
  return undefined;
}

/** A schema that throws, as a transform of the app's may, has not accepted the value. */
function refuse(error: unknown, code: ContractCode): never {
  if (error instanceof BonevalueError) throw error;
  throw new BonevalueError(code, `The module's contract failed on the value: ${error}`, { cause: error });
}

function accept(result: StandardSchemaV1.Result<unknown>, code: ContractCode): unknown {
  if (!result.issues) return result.value;
  const issues = result.issues
    .slice(0, mostIssues)
    .map(({ message, path }) => ({ message: message.slice(0, longestMessage), path: Array.from(path ?? [], segment) }));
  const where = issues.map(({ message, path }) => (path.length > 0 ? `${path.join(".")}: ${message}` : message));
  throw new BonevalueError(code, `The value does not fit the module's contract: ${where.join("; ")}`, { data: issues });
}

/** A step of an issue's path, in a form that can cross the wire. */
function segment(step: PropertyKey | StandardSchemaV1.PathSegment): string | number {
  const key = typeof step === "object" ? step.key : step;
  return typeof key === "number" ? key : String(key).slice(0, longestStep);
}
