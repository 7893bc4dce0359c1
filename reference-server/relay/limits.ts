import { relayIdleTimeoutMs } from "../../core/protocol/limits.ts";
import { completeLimits } from "../limits.ts";

/** Limits of relayed links on one node. Times in ms, sizes in bytes. See docs/security.md. */
export interface RelayLimits {
  /** Bytes read a second from the sockets of one account or room, after a burst. A message counts as at least 256 bytes. */
  readonly bytesPerSecond: number;
  /** Bytes that the sockets of one account or room may send at once, before `bytesPerSecond` applies. */
  readonly burst: number;
  /** Pipes that one account, or the peers of one room, have opened. */
  readonly pipesPerAccount: number;
  /** Pipes of all accounts and rooms together. */
  readonly pipes: number;
  /** A pipe through which no message has passed for this time is closed. */
  readonly idleTimeout: number;
  /** The time in which a ticket can be used. */
  readonly ticketAge: number;
  /** The time for which one side waits for the other. */
  readonly partnerTimeout: number;
}

const mebibyte = 1024 * 1024;

/** The defaults of all limits of relayed links. */
export const defaultRelayLimits: RelayLimits = {
  bytesPerSecond: mebibyte,
  burst: 8 * mebibyte,
  pipesPerAccount: 16,
  pipes: 1_000,
  idleTimeout: relayIdleTimeoutMs,
  ticketAge: 30_000,
  partnerTimeout: 10_000,
};

// Zero would stall a pipe or end it as soon as it begins.
const positive: ReadonlySet<string> = new Set<keyof RelayLimits>([
  "bytesPerSecond",
  "idleTimeout",
  "ticketAge",
  "partnerTimeout",
]);

/** Returns the limits of the option `relay`; undefined if it is off. Throws as {@link completeLimits} does. */
export function relayLimits(relay: boolean | Partial<RelayLimits> = false): RelayLimits | undefined {
  return relay === false ? undefined : completeLimits(defaultRelayLimits, positive, relay === true ? {} : relay);
}
