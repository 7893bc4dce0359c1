import { safeParse } from "valibot";
import { BonevalueError } from "../../errors.ts";
import { envelope, type ToClient } from "../../protocol/messages.ts";
import { toClient } from "../../protocol/to-client.ts";

/** Everything that a client understands, checked. */
export type FromServer = {
  readonly [Type in keyof ToClient]: {
    readonly type: Type;
    readonly data: ToClient[Type];
    readonly id: number | undefined;
    readonly lost: boolean;
  };
}[keyof ToClient];

/** Reads one frame. Gives undefined for a type that we do not know; throws `protocol` for what is malformed. */
export function readFrame(frame: unknown): FromServer | undefined {
  const outer = safeParse(envelope, parseJson(frame));
  if (!outer.success) throw serverProtocolError("a frame that is no message");
  const { type, data, id, lost = false } = outer.output;
  if (!isKnown(type)) return undefined;
  const inner = safeParse(toClient[type], data);
  if (!inner.success) throw serverProtocolError(`a malformed "${type}"`);
  return { type, data: inner.output, id, lost } as FromServer;
}

/** The error for a server that broke the protocol by sending `what`. */
export function serverProtocolError(what: string): BonevalueError {
  return new BonevalueError(
    "protocol",
    `The discovery server sent ${what}. Check that it is a bonevalue server, and that both are up to date.`,
  );
}

function isKnown(type: string): type is keyof ToClient {
  return Object.hasOwn(toClient, type);
}

function parseJson(frame: unknown): unknown {
  if (typeof frame !== "string") return undefined;
  try {
    return JSON.parse(frame);
  } catch {
    return undefined;
  }
}
