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

/** A code of a {@link BonevalueError}. Codes are stable and cross the wire. */
export type ErrorCode = (typeof errorCodes)[number];

const knownCodes: ReadonlySet<unknown> = new Set(errorCodes);

/** Whether this version has the error code. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return knownCodes.has(code);
}

// A page may contain two copies of this library: of two versions, or of a script and a bundle. They share this symbol.
const brand = Symbol.for("bonevalue.BonevalueError");

/**
 * The error class of this library. `code` is stable and crosses the wire; `message` says what happened and what to do.
 *
 * @example
 * if (error instanceof BonevalueError && error.code === "timeout") retry();
 */
export class BonevalueError extends Error {
  /** The name of the class, also after minification. */
  override readonly name = "BonevalueError" as const;
  /** What happened, for programs. Stable between versions. `docs/reference/errors.md` in the package has a section for each code. */
  readonly code: ErrorCode;
  /**
   * The data of the error that a handler threw. For `invalid-request` and `invalid-response`, the schema's issues. For
   * `all-failed`, the replies.
   */
  readonly data?: unknown;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; data?: unknown } = {}) {
    super(message, options);
    this.code = code;
    if (options.data !== undefined) this.data = options.data;
    Object.defineProperty(this, brand, { value: true });
  }

  /** Recognizes errors of other copies of this library. A subclass recognizes its own instances only. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: the class on the right side of instanceof.
    return this === BonevalueError ? brand in Object(value) : Function.prototype[Symbol.hasInstance].call(this, value);
  }
}
