import type { BonevalueError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { Kind } from "../wire/frames.ts";
import { type Packed, pack } from "../wire/pack.ts";
import type { SendScheduler } from "../wire/send-scheduler.ts";
import type { SerializeOptions } from "../wire/serialize.ts";
import { type Ending, groupOf, type InboundCall } from "./inbound-call.ts";
import { packPayload } from "./streams/answer-payload.ts";
import type { Streams } from "./streams/streams.ts";
import { longestMessage, thrownError, unsendable } from "./wire-errors.ts";

/** The parts of a link that send answers. */
export interface AnswerContext {
  readonly scheduler: Pick<SendScheduler, "send" | "bulk">;
  readonly streams: Streams;
  readonly limits: Limits;
  /** Called when an answer cannot be sent. */
  failed(error: BonevalueError): void;
}

/** Sends how a call ended. The streams of the answer join the call's. */
export function answer(call: InboundCall, ending: Ending, link: AnswerContext): void {
  if ("thrown" in ending) fail(call.id, thrownError(ending.thrown), link);
  else succeed(call, ending.value, link);
}

function succeed(call: InboundCall, value: unknown, link: AnswerContext): void {
  const { id } = call;
  try {
    const payload = packPayload(value, serializeOptions(link.limits));
    if (payload.streams.length === 0) {
      link.scheduler.send("control", [Kind.answer, id, link.streams.checkSize(payload.packed)]);
    } else {
      // The answer is a flow of its own, so it waits for no other stream.
      link.scheduler.bulk(call, [Kind.answer, id, groupOf(call).add(payload).register()]);
    }
  } catch (error) {
    const reason = unsendable(error, "invalid-response");
    link.failed(reason);
    fail(id, reason, link);
  }
}

/** Sends that call `id` has failed. Data that cannot be sent are left out. */
export function fail(id: number, { code, message, data }: BonevalueError, link: AnswerContext): void {
  link.scheduler.send("control", [Kind.fail, id, code, message.slice(0, longestMessage), ...packData(data, link)]);
}

function packData(data: unknown, { streams, limits }: AnswerContext): [data?: Packed] {
  try {
    return data === undefined ? [] : [streams.checkSize(pack(data, serializeOptions(limits)))];
  } catch {
    // The code and the message say enough.
    return [];
  }
}

function serializeOptions({ depth, messageSize }: Limits): SerializeOptions {
  return { name: "response", code: "invalid-response", depth, size: messageSize };
}
