import { BonevalueError, type ErrorCode, isErrorCode } from "../../errors.ts";
import { closeCode } from "../../protocol/close-code.ts";
import type { ToClient } from "../../protocol/messages.ts";

/** Why a socket ended, and whether the session reconnects. */
export interface CloseReason {
  readonly code: number;
  readonly reason: BonevalueError;
  readonly retry: boolean;
  /** The shortest time until the next attempt. */
  readonly retryAfterMs: number;
}

type Words = readonly [code: ErrorCode, message: string];

const overloadRetryMs = 10_000;

/** The close codes after which the session does not reconnect. */
const finalReasons: Readonly<Record<number, Words>> = {
  [closeCode.normal]: ["disconnected", "The discovery server ended the session. Sign in again."],
  [closeCode.protocol]: [
    "protocol",
    "The discovery server rejected a message of this page. Update the older of the two.",
  ],
  [closeCode.tooLarge]: ["protocol", "A message is too large for the discovery server. Send less."],
  [closeCode.unauthenticated]: [
    "unauthenticated",
    "The discovery server did not accept the credentials. Sign in again.",
  ],
  [closeCode.superseded]: ["disconnected", "Another page took the session over. Sign in again."],
  [closeCode.incompatible]: [
    "incompatible",
    "The discovery server has another protocol version. Update the older of the two.",
  ],
};

/**
 * Explains a close. The code alone decides whether to reconnect; the user sees the server's `lastError`, if it sent one.
 * `url` is the server's while the socket is not signed in.
 */
export function closeReasonOf(code: number, lastError: ToClient["error"] | undefined, url?: string): CloseReason {
  const final = finalReasons[code];
  const [errorCode, message] =
    final ?? (url === undefined ? lost : code === closeCode.overloaded ? overloaded : unreachable(url));
  return {
    code,
    reason: lastError ? errorFromServer(lastError) : new BonevalueError(errorCode, message),
    retry: final === undefined,
    retryAfterMs: lastError?.after ?? (code === closeCode.overloaded ? overloadRetryMs : 0),
  };
}

/** The close reason for a server that broke the protocol. Reconnecting would not help. */
export function closeReasonFor(reason: BonevalueError): CloseReason {
  return { code: closeCode.gaveUp, reason, retry: false, retryAfterMs: 0 };
}

/** Converts the server's error. An unknown code becomes `protocol`. */
export function errorFromServer({ code, message }: ToClient["error"]): BonevalueError {
  return new BonevalueError(isErrorCode(code) ? code : "protocol", message);
}

const unreachable = (url: string): Words => [
  "unreachable",
  `No discovery server answered at ${url}. Check the address, the network, the server's list of origins, and this page's Content-Security-Policy (connect-src).`,
];
const lost: Words = ["disconnected", "The connection to the discovery server was lost. The client reconnects."];
const overloaded: Words = ["unreachable", "The discovery server is overloaded. Try again later."];
