import { BonevalueError } from "../errors.ts";
import { guard } from "../events.ts";
import type { Received } from "../wire/codec.ts";
import type { AttachmentReceiver } from "../wire/deserialize.ts";
import { type PeerCall, settle } from "./call-peer.ts";
import type { Outcome } from "./replies.ts";
import type { Payload } from "./streams/payload.ts";
import { unpackPayload } from "./unpack-payload.ts";
import { validateThen } from "./validate.ts";
import { thrownError } from "./wire-errors.ts";

/** Keeps the link of a call open after a sign of life. */
export function keepOpen({ context, connection, request }: PeerCall): void {
  connection?.keepOpen(context.keepOpenMs(request.keepAlive));
}

/** The peer has read `bytes` more of the request's streams. */
export function acknowledge(call: PeerCall, bytes: number): void {
  const { peer, payload, request, context, deadline } = call;
  const { onProgress } = request;
  if (deadline) context.deadlines.renew(deadline);
  call.acknowledged += bytes;
  if (!onProgress) return;
  guard(() => onProgress(Object.freeze({ peer, sent: call.acknowledged, total: totalFileSize(payload) })));
}

/** Ms until a call's deadline. `null`: it has none. */
export function remainingMs({ context, deadline }: PeerCall): number | null {
  const left = deadline!.due - context.now();
  return left === Number.POSITIVE_INFINITY ? null : Math.max(0, Math.round(left));
}

/** Settles a call with the answer that arrived, once the module's contract has accepted it. `receive` makes its streams. */
export function settleWithAnswer(call: PeerCall, value: Received, receive: AttachmentReceiver | undefined): void {
  const answer = unpackOrSettle(call, value, receive);
  if ("error" in answer) settle(call, answer);
  else {
    validateThen(
      call.request.module.response,
      answer.value,
      "invalid-response",
      (value) => settle(call, { value }),
      (error) => settle(call, { error: thrownError(error) }),
    );
  }
}

/** Settles a call with the failure that arrived. */
export function settleWithFailure(call: PeerCall, error: BonevalueError, data: Received | undefined): void {
  const outcome = data && unpackOrSettle(call, data);
  const { code, message } = error;
  settle(call, {
    error: outcome && "value" in outcome ? new BonevalueError(code, message, { data: outcome.value }) : error,
  });
}

/** Settles the call and throws as well where the value is malformed: the link ends, and no longer knows this call. */
function unpackOrSettle(call: PeerCall, value: Received, receive?: AttachmentReceiver): Outcome {
  try {
    return unpackPayload(value, receive);
  } catch (error) {
    settle(call, { error: thrownError(error) });
    throw error;
  }
}

/** Returns the size of all files of the payload; `undefined` if it holds a stream, whose size is unknown. */
function totalFileSize({ streams }: Payload): number | undefined {
  let total = 0;
  for (const { file } of streams) {
    if (!file) return undefined;
    total += file.size;
  }
  return total;
}
