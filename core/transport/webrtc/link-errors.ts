import { BonevalueError } from "../../errors.ts";
import type { SignalExchange } from "../transport.ts";

/** Describes an error of a STUN or TURN server in one line. */
export function describeIceError({ url, errorCode, errorText }: RTCPeerConnectionIceErrorEvent): string {
  return `${url}: ${errorCode} ${errorText}`.trim();
}

/** Returns `cause` if it is a BonevalueError; otherwise a `link-failed` error of `what` and the message of `cause`. */
export function linkFailed(what: string, cause: unknown): BonevalueError {
  if (cause instanceof BonevalueError) return cause;
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new BonevalueError("link-failed", `${what}: ${detail}`, { cause });
}

/** There is no path to the peer, and what would make one. */
export function noPath({ relay }: SignalExchange): string {
  return `Direct paths are blocked and there was no relay candidate: configure a TURN server in iceServers${relay ? "" : ", or the server with --relay"}.`;
}
