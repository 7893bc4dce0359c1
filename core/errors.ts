/** Every code that a {@link BonevalueError} can carry. Codes are stable and cross the wire. */
export const errorCodes = [
  // reaching the server
  "unreachable",
  "unauthenticated",
  "rate-limited",
  "not-connected",
  "incompatible",
  "protocol",
  // users
  "alias-taken",
  "alias-reserved",
  "alias-unknown",
  "token-invalid",
  // reaching a peer
  "no-peers",
  "unknown-peer",
  "all-failed",
  "link-failed",
  "disconnected",
  "identity-mismatch",
  "busy",
  // one call
  "timeout",
  "cancelled",
  "unknown-module",
  "module-taken",
  "forbidden",
  "invalid-request",
  "invalid-response",
  "handler-failed",
  "too-large",
  "unsupported",
] as const;

/** One of {@link errorCodes}. */
export type ErrorCode = (typeof errorCodes)[number];

const knownCodes: ReadonlySet<unknown> = new Set(errorCodes);

/** Whether this version has the error code. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return knownCodes.has(code);
}

/**
 * The error class of this library. `code` is stable and crosses the wire; `message` says what happened and what to do.
 *
 * @example
 * if (error instanceof BonevalueError && error.code === "timeout") retry();
 */
export class BonevalueError extends Error {
  override readonly name = "BonevalueError" as const;
  readonly code: ErrorCode;
  /** The data of the error that a handler threw. For `invalid-request` and `invalid-response`, the schema's issues. */
  readonly data?: unknown;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; data?: unknown } = {}) {
    super(message, options);
    this.code = code;
    if (options.data !== undefined) this.data = options.data;
  }
}
