import { BonevalueError, type ErrorCode, isErrorCode } from "../errors.ts";

/** How long a dial may take. docs/protocol.md, "Signals". */
export const dialTimeoutMs = 15_000;

const verifyBoth = "Verify each other with a token, link this device, or update the app.";
const inTime = `within ${dialTimeoutMs / 1_000} s`;

/** The peer has refused an attempt, or given it up, with `code`. */
export function refused(peer: string, code: string): BonevalueError {
  const known: ErrorCode = isErrorCode(code) ? code : "link-failed";
  if (known === "identity-mismatch")
    return new BonevalueError(known, `Peer ${peer} does not accept this device. ${verifyBoth}`);
  return new BonevalueError(known, `Peer ${peer} refused the link (${code}). Try again later.`);
}

/** The facts about a dial that timed out. */
export interface TimedOutDial {
  /** Whether the peer has sent anything. */
  readonly answered: boolean | undefined;
  /** The transport's facts about the last attempt. */
  readonly trouble: string | undefined;
  /** Why the attempt before it ended. */
  readonly lastError: BonevalueError | undefined;
}

/** No attempt of a dial has opened a link in time. */
export function timedOut(peer: string, { answered, trouble, lastError }: TimedOutDial): BonevalueError {
  if (answered && (trouble || !lastError)) return noPath(peer, trouble);
  return lastError ?? noAnswer(peer);
}

function noAnswer(peer: string): BonevalueError {
  return new BonevalueError(
    "link-failed",
    `Peer ${peer} did not answer ${inTime}. Its page may be suspended, or one side offline. Try again later.`,
  );
}

/** The peer answered, but there is no path to it. `trouble` is what the transport knows. */
export function noPath(peer: string, trouble: string | undefined): BonevalueError {
  const advice = trouble ?? "Configure a TURN server in iceServers.";
  return new BonevalueError("link-failed", `No link to peer ${peer} ${inTime}. ${advice}`);
}

/** The discovery server cannot pass a signal to the peer. */
export function unreachable(peer: string): BonevalueError {
  return new BonevalueError("unknown-peer", `Peer ${peer} is not online, or not trusted. Check \`peers\`.`);
}

/** A link that this side closes because the peer has lost it (`disconnected`), or because the app does not need it. */
export function closedWith(peer: string, code: ErrorCode): BonevalueError {
  const why = code === "disconnected" ? "was lost" : "was closed";
  return new BonevalueError(code, `The link to peer ${peer} ${why}. Repeat calls that were not answered.`);
}
