import { BonevalueError, type ErrorCode, isErrorCode } from "../errors.ts";

/** The peer has refused an attempt, or given it up, with `code`. */
export function refused(peer: string, code: string): BonevalueError {
  if (code === "busy") {
    return new BonevalueError("busy", `Peer ${peer} has as many links open as it accepts. Try again in a moment.`);
  }
  const known: ErrorCode = isErrorCode(code) ? code : "link-failed";
  return new BonevalueError(known, `Peer ${peer} did not accept the link (${code}). Try again, or look at its side.`);
}

/** What was known of a dial when its time was up. */
export interface Unanswered {
  /** Whether the peer has said anything. */
  readonly answered: boolean | undefined;
  /** What the transport knows of the attempt that was being made. */
  readonly trouble: string | undefined;
  /** Why the attempt before it broke. */
  readonly broken: BonevalueError | undefined;
}

/** A dial has come to nothing for as long as one may take. */
export function outOfTime(peer: string, waited: number, { answered, trouble, broken }: Unanswered): BonevalueError {
  if (answered && (trouble || !broken)) return noPath(peer, waited, trouble);
  return broken ?? noAnswer(peer, waited);
}

/** Nothing came back from the peer. */
function noAnswer(peer: string, waited: number): BonevalueError {
  return new BonevalueError(
    "link-failed",
    `Peer ${peer} did not answer within ${waited / 1_000} s. Its page may be suspended, or one of the two has lost the ` +
      "discovery server. Try again.",
  );
}

/** The peer answered, and yet no path was found; `trouble` is what the transport knows of it. */
export function noPath(peer: string, waited: number, trouble: string | undefined): BonevalueError {
  const advice = trouble ?? "Configure a TURN server in iceServers if a network between the two blocks direct paths.";
  return new BonevalueError("link-failed", `No link to peer ${peer} within ${waited / 1_000} s. ${advice}`);
}

/** The discovery server cannot bring it a signal. */
export function unreachable(peer: string): BonevalueError {
  return new BonevalueError(
    "unknown-peer",
    `Peer ${peer} is not online, or may not be talked to. Call a peer of the list.`,
  );
}

/** A link that we end because of what the peer did, or because our own side has no more use for it. */
export function closedWith(peer: string, code: ErrorCode): BonevalueError {
  const why = code === "disconnected" ? "was lost" : "was closed";
  return new BonevalueError(code, `The link to peer ${peer} ${why}. What it had not answered can be asked again.`);
}
