import type { BonevalueError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { type Packed, pack } from "../wire/codec.ts";
import { Kind } from "../wire/frames.ts";
import type { SendScheduler } from "../wire/send-scheduler.ts";
import type { SerializeOptions } from "../wire/serialize.ts";
import type { Ending } from "./incoming-request.ts";
import { packPayload } from "./streams/payload.ts";
import type { StreamGroup } from "./streams/stream-group.ts";
import type { Streams } from "./streams/streams.ts";
import { longestMessage, thrownError, unsendable } from "./thrown-error.ts";

/** What an answer needs of the link. */
export interface Answering {
  readonly scheduler: Pick<SendScheduler, "send" | "bulk">;
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
    const payload = packPayload(value, outgoing(link.limits));
    if (payload.streams.length === 0) {
      const packed = link.streams.checkSize(payload.packed);
      link.scheduler.send("control", [Kind.answer, id, packed]);
    } else {
      // A flow of its own: it waits for no other stream.
      link.scheduler.bulk({}, [Kind.answer, id, group().add(payload).register()]);
    }
  } catch (error) {
    fail(id, unsendable(error, "invalid-response"), link);
  }
}

/** Sends that call `id` has failed, with the error's data where they can cross. */
export function fail(id: number, { code, message, data }: BonevalueError, link: Answering): void {
  link.scheduler.send("control", [Kind.fail, id, code, message.slice(0, longestMessage), ...packData(data, link)]);
}

/** What cannot cross stays here: the code and the message say enough. */
function packData(data: unknown, { streams, limits }: Answering): [data?: Packed] {
  try {
    return data === undefined ? [] : [streams.checkSize(pack(data, outgoing(limits)))];
  } catch {
    return [];
  }
}

function outgoing({ depth, messageSize }: Limits): SerializeOptions {
  return { name: "response", code: "invalid-response", depth, size: messageSize };
}
