import { BonevalueError, type ErrorCode, isErrorCode } from "../../errors.ts";
import { closeCode } from "../../protocol/close-code.ts";
import type { ToClient } from "../../protocol/messages.ts";

/** How one socket ended, and what that means for the session. */
export interface CloseReason {
  readonly code: number;
  readonly reason: BonevalueError;
  /** Whether to come back, and after how long at the least, in ms. */
  readonly retry: boolean;
  readonly retryAfterMs: number;
}

const overloadPause = 10_000;

const stayAway: Readonly<Record<number, readonly [code: ErrorCode, message: string]>> = {
  [closeCode.normal]: ["disconnected", "The discovery server ended the session. Sign in again."],
  [closeCode.protocol]: ["protocol", "The discovery server did not understand us. Check that both are up to date."],
  [closeCode.tooLarge]: ["protocol", "A message was too long for the discovery server. Send less."],
  [closeCode.unauthenticated]: ["unauthenticated", "The discovery server did not accept who we are. Sign in again."],
  [closeCode.superseded]: ["disconnected", "Another page took the session over. Sign in again."],
  [closeCode.incompatible]: [
    "incompatible",
    "The discovery server speaks another version. Update the older of the two.",
  ],
};

/**
 * What a close means. The code alone decides whether to come back; what the server `said` before is what the user
 * sees. `dialed` is the server's URL until we are signed in.
 */
export function closeReasonOf(code: number, said: ToClient["error"] | undefined, dialed?: string): CloseReason {
  const final = stayAway[code];
  const [errorCode, message] =
    final ?? (dialed === undefined ? lost : code === closeCode.overloaded ? overloaded : unreachable(dialed));
  return {
    code,
    reason: said ? errorFromServer(said) : new BonevalueError(errorCode, message),
    retry: final === undefined,
    retryAfterMs: said?.after ?? (code === closeCode.overloaded ? overloadPause : 0),
  };
}

/** How it ends when we find fault with the server. To come back would change nothing. */
export function closeReasonFor(reason: BonevalueError): CloseReason {
  return { code: closeCode.gaveUp, reason, retry: false, retryAfterMs: 0 };
}

/** An error as a server says it. A code that we do not know reads as `protocol`. */
export function errorFromServer({ code, message }: ToClient["error"]): BonevalueError {
  return new BonevalueError(isErrorCode(code) ? code : "protocol", message);
}

const unreachable = (url: string) =>
  [
    "unreachable",
    `No discovery server answered at ${url}, or it refuses this page's origin. Check the address and the network.`,
  ] as const;
const lost = ["disconnected", "The discovery server is out of reach. We come back by ourselves."] as const;
const overloaded = ["unreachable", "The discovery server is overloaded. Try again in a while."] as const;
