import type { ErrorCode } from "../core/errors.ts";

/** A failure whose code and message are sent to the client. */
export class Refusal extends Error {
  override readonly name = "Refusal" as const;
  readonly code: ErrorCode;
  /** The code to close the socket with. */
  readonly close: number | undefined;
  /** The ms to wait before the next attempt. */
  readonly after: number | undefined;

  constructor(code: ErrorCode, message: string, options: { close?: number; after?: number } = {}) {
    super(message);
    this.code = code;
    this.close = options.close;
    this.after = options.after;
  }
}

/** The refusal of an alias that its user already uses for another user. */
export function aliasTaken(): Refusal {
  return new Refusal("alias-taken", "You already use this alias for another user: choose another.");
}
