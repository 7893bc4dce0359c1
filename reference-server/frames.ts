import * as v from "valibot";
import { closeCode } from "../core/protocol/close-code.ts";
import { envelope, type ToClient, type ToServer } from "../core/protocol/messages.ts";
import { toServer } from "../core/protocol/to-server.ts";
import { Refusal } from "./refusal.ts";

/** A valid frame of a client. */
export type Command = {
  [Type in keyof ToServer]: { readonly type: Type; readonly data: ToServer[Type]; readonly id: number | undefined };
}[keyof ToServer];

/** Encodes one frame to a client. */
export function encode<Type extends keyof ToClient>(type: Type, data: ToClient[Type], id?: number): string {
  return JSON.stringify({ type, data, id });
}

/** Decodes a frame of a client; throws a refusal that closes the socket for an invalid one. */
export function decode(bytes: Buffer, binary: boolean): Command {
  if (binary) throw protocolError("A frame must be JSON text, not binary");
  const frame = v.safeParse(envelope, parse(bytes));
  if (!frame.success) throw protocolError('A frame must be { "type": string, "data": any, "id"?: positive integer }');
  const { type, data, id } = frame.output;
  if (!isKnown(type)) throw protocolError(`The frame type ${JSON.stringify(type.slice(0, 32))} is unknown`);
  const checked = v.safeParse(toServer[type], data);
  if (!checked.success) throw protocolError(`The data of ${type} is invalid: ${checked.issues[0].message}`);
  return { type, data: checked.output, id } as Command;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw protocolError("A frame is not JSON");
  }
}

function isKnown(type: string): type is keyof ToServer {
  return Object.hasOwn(toServer, type);
}

function protocolError(message: string): Refusal {
  return new Refusal("protocol", `${message}.`, { close: closeCode.protocol });
}
