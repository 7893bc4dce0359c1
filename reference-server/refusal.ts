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

/** Close codes of the protocol, by what they mean. */
export const closeCode = {
  bye: 1000,
  goingAway: 1001,
  protocol: 1008,
  tooLarge: 1009,
  restart: 1012,
  overloaded: 1013,
  unauthenticated: 4001,
  takenOver: 4002,
  incompatible: 4003,
} as const;
