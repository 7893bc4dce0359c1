import { invalidNumber } from "./check-arguments.ts";

/** Limits against hostile or broken peers. Sizes in bytes. */
export interface Limits {
  /** The size of one request or response without its streams. */
  readonly messageSize: number;
  /** The bytes that are buffered for one peer, including values that are reassembled. */
  readonly bytesPerPeer: number;
  /** The requests of one peer that are handled at once. */
  readonly requestsPerPeer: number;
  /** The streams of one peer that are open at once. */
  readonly streamsPerPeer: number;
  /** The frames that are read from one peer in a second. */
  readonly framesPerSecond: number;
  /** The nesting depth of a decoded value. */
  readonly depth: number;
}

/** The limits of a client without options. */
export const defaultLimits: Limits = Object.freeze({
  messageSize: 8 * 1024 * 1024,
  bytesPerPeer: 32 * 1024 * 1024,
  requestsPerPeer: 1_024,
  streamsPerPeer: 256,
  // About twenty times what two pages on one machine reach.
  framesPerSecond: 1_000_000,
  depth: 64,
});

/** Returns the given limits, completed with the defaults. Throws `invalid-request` if one is not a whole number. */
export function limitsOf(given?: Partial<Limits>): Limits {
  const set = Object.entries(given ?? {}).filter(([, limit]) => limit !== undefined);
  for (const [name, limit] of set)
    if (!Number.isSafeInteger(limit) || limit < 0) throw invalidNumber(name, "whole number of at least 0");
  return { ...defaultLimits, ...Object.fromEntries(set) };
}

/** The share of a peer's bytes for values that are reassembled. The other half is for stream items that wait to be read. */
export function maxAssemblyBytes({ bytesPerPeer }: Limits): number {
  return Math.floor(bytesPerPeer / 2);
}
