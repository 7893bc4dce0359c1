import { BonevalueError, type ErrorCode, isErrorCode } from "../../errors.ts";
import type { ToClient } from "../messages.ts";

/** The close codes that mean something here: those of the protocol, and those of WebSockets that it uses. */
export const Close = {
  bye: 1000,
  protocol: 1008,
  tooBig: 1009,
  overloaded: 1013,
  gaveUp: 4000,
  unauthenticated: 4001,
  takenOver: 4002,
  incompatible: 4003,
} as const;

/** How one socket ended, and what that means for the session. */
export interface Departure {
  readonly code: number;
  readonly reason: BonevalueError;
  /** Whether to come back, and after how long at the least, in ms. */
  readonly comeBack: boolean;
  readonly after: number;
}

const overloadPause = 10_000;

const stayAway: Readonly<Record<number, readonly [code: ErrorCode, message: string]>> = {
  [Close.bye]: ["disconnected", "The discovery server ended the session. Sign in again."],
  [Close.protocol]: ["protocol", "The discovery server did not understand us. Check that both are up to date."],
  [Close.tooBig]: ["protocol", "A message was too long for the discovery server. Send less."],
  [Close.unauthenticated]: ["unauthenticated", "The discovery server did not accept who we are. Sign in again."],
  [Close.takenOver]: ["disconnected", "Another page took the session over. Sign in again."],
  [Close.incompatible]: ["incompatible", "The discovery server speaks another version. Update the older of the two."],
};

/**
 * What a close means. The code alone decides whether to come back; what the server `said` before is what the user
 * sees. `dialled` is the server's URL until we are signed in.
 */
export function departureOf(code: number, said: ToClient["error"] | undefined, dialled?: string): Departure {
  const final = stayAway[code];
  const [errorCode, message] =
    final ?? (dialled === undefined ? lost : code === Close.overloaded ? overloaded : unreachable(dialled));
  return {
    code,
    reason: said ? saidError(said) : new BonevalueError(errorCode, message),
    comeBack: final === undefined,
    after: said?.after ?? (code === Close.overloaded ? overloadPause : 0),
  };
}

/** How it ends when we find fault with the server. To come back would change nothing. */
export function departureFor(reason: BonevalueError): Departure {
  return { code: Close.gaveUp, reason, comeBack: false, after: 0 };
}

/** An error as a server says it. A code that we do not know reads as `protocol`. */
export function saidError({ code, message }: ToClient["error"]): BonevalueError {
  return new BonevalueError(isErrorCode(code) ? code : "protocol", message);
}

const unreachable = (url: string) =>
  [
    "unreachable",
    `No discovery server answered at ${url}, or it refuses this page's origin. Check the address and the network.`,
  ] as const;
const lost = ["disconnected", "The discovery server is out of reach. We come back by ourselves."] as const;
const overloaded = ["unreachable", "The discovery server is overloaded. Try again in a while."] as const;
