import type { BonevalueError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { type Packed, pack } from "../wire/codec.ts";
import { Kind } from "../wire/frames.ts";
import type { Lanes } from "../wire/lanes.ts";
import type { Outgoing } from "../wire/values.ts";
import type { Ending } from "./incoming-request.ts";
import { packParcel } from "./streams/parcel.ts";
import type { StreamGroup } from "./streams/stream-group.ts";
import type { Streams } from "./streams/streams.ts";
import { longestMessage, thrownError, unsendable } from "./thrown-error.ts";

/** What an answer needs of the link. */
export interface Answering {
  readonly lanes: Pick<Lanes, "send" | "bulk">;
  readonly streams: Streams;
  readonly limits: Limits;
}

/** Sends how call `id` ended. The streams of the answer join `group`. */
export function answer(id: number, ending: Ending, group: () => StreamGroup, link: Answering): void {
  if ("thrown" in ending) fail(id, thrownError(ending.thrown), link);
  else succeed(id, ending.value, group, link);
}

function succeed(id: number, value: unknown, group: () => StreamGroup, link: Answering): void {
  try {
    const parcel = packParcel(value, outgoing(link.limits));
    if (parcel.streams.length === 0) {
      const packed = link.streams.admit(parcel.packed);
      link.lanes.send("control", [Kind.answer, id, packed]);
    } else {
      // A flow of its own: it waits for no other stream.
      link.lanes.bulk({}, [Kind.answer, id, group().add(parcel).announce()]);
    }
  } catch (error) {
    fail(id, unsendable(error, "invalid-response"), link);
  }
}

/** Sends that call `id` has failed, with the error's data where they can cross. */
export function fail(id: number, { code, message, data }: BonevalueError, link: Answering): void {
  link.lanes.send("control", [Kind.fail, id, code, message.slice(0, longestMessage), ...packData(data, link)]);
}

/** What cannot cross stays here: the code and the message say enough. */
function packData(data: unknown, { streams, limits }: Answering): [data?: Packed] {
  try {
    return data === undefined ? [] : [streams.admit(pack(data, outgoing(limits)))];
  } catch {
    return [];
  }
}

function outgoing({ depth, messageSize }: Limits): Outgoing {
  return { name: "response", code: "invalid-response", depth, size: messageSize };
}
