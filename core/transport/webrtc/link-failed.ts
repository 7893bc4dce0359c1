import { BonevalueError } from "../../errors.ts";

/** The error for what `cause` stopped, in one sentence that ends with its words; an error of ours stays as it is. */
export function linkFailed(what: string, cause: unknown): BonevalueError {
  if (cause instanceof BonevalueError) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new BonevalueError("link-failed", `${what}: ${detail}`, { cause });
}
