import { invalidNumber } from "./check-arguments.ts";

/** Budgets against a hostile or broken peer. Sizes in bytes. */
export interface Limits {
  /** One request or response, streams aside. */
  readonly messageSize: number;
  /** Buffered for one peer, reassembly included. */
  readonly bytesPerPeer: number;
  /** Requests being handled at once for one peer. */
  readonly requestsPerPeer: number;
  /** Streams open at once for one peer. */
  readonly streamsPerPeer: number;
  /** Frames read from one peer in a second: calls, answers, items, and whatever else it says. */
  readonly framesPerSecond: number;
  /** Nesting of a decoded value. */
  readonly depth: number;
}

/** What holds where the app says nothing. */
export const defaultLimits: Limits = Object.freeze({
  messageSize: 8 * 1024 * 1024,
  bytesPerPeer: 32 * 1024 * 1024,
  requestsPerPeer: 1_024,
  streamsPerPeer: 256,
  // Some twenty times what two pages of one machine bring each other at full speed.
  framesPerSecond: 1_000_000,
  depth: 64,
});

/** What an app asks for, and the default wherever that is nothing. Throws `invalid-request` for what is no whole number. */
export function limitsOf(given?: Partial<Limits>): Limits {
  const said = Object.entries(given ?? {}).filter(([, limit]) => limit !== undefined);
  for (const [name, limit] of said)
    if (!Number.isSafeInteger(limit) || limit < 0) throw invalidNumber(name, "whole number");
  return { ...defaultLimits, ...Object.fromEntries(said) };
}

/** What unfinished values may take of a peer's bytes; the other half is for items that wait to be read. */
export function maxAssemblyBytes({ bytesPerPeer }: Limits): number {
  return Math.floor(bytesPerPeer / 2);
}
