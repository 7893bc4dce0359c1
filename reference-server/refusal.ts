import type { ErrorCode } from "../core/errors.ts";

/** Why a client did not get what it asked for, in words that it is sent. */
export class Refusal extends Error {
  override readonly name = "Refusal" as const;
  readonly code: ErrorCode;
  /** The socket is closed with this code. */
  readonly close: number | undefined;
  /** ms to wait before trying again. */
  readonly after: number | undefined;

  constructor(code: ErrorCode, message: string, options: { close?: number; after?: number } = {}) {
    super(message);
    this.code = code;
    this.close = options.close;
    this.after = options.after;
  }
}
