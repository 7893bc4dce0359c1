import { BonevalueError } from "../errors.ts";
import { createIdMap } from "../id-map.ts";
import type { Peer } from "../peer.ts";
import type { Received } from "../wire/codec.ts";
import { maxFrameOverhead } from "../wire/fragments.ts";
import { type Frame, Kind } from "../wire/frames.ts";
import type { Packed } from "../wire/pack.ts";
import { minMessageSize, type SendScheduler } from "../wire/send-scheduler.ts";
import { type CallSender, endCall, type PeerCall, settle } from "./call-peer.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Receipts } from "./receipts.ts";
import { createSendQueue } from "./send-queue.ts";
import { acknowledge, keepOpen, remainingMs, settleWithAnswer, settleWithFailure } from "./sent-call.ts";
import { createStreamGroup, type StreamGroup } from "./streams/stream-group.ts";
import type { Streams } from "./streams/streams.ts";
import { createThrottle } from "./throttle.ts";
import { countOf, longestMessage, remoteError, thrownError, unreadError } from "./wire-errors.ts";

/** Our calls on one link. */
export interface Caller extends Pick<CallSender, "send" | "cancel"> {
  /** How many calls wait for their reply. */
  readonly open: number;
  /** An answer to a call that has ended was sent before the peer learned of it. Its streams are cancelled. */
  receiveAnswer(id: number, value: Received): void;
  receiveFailure(id: number, code: string, message: string, data: Received | undefined): void;
  /** The peer has handled so many messages in all. */
  receiveAck(handled: number): void;
  /** The peer has refused `count` messages to a module. */
  receiveRefusal(count: number, module: string, code: string, message: string): void;
  /** The peer's hello has been read. */
  onOpened(): void;
  /** The link is over, and every call on it. Where both sides have agreed to close it, no message is lost. */
  end(reason: BonevalueError, agreed: boolean): void;
}

/** Options of {@link createCaller}. Times in ms. */
export interface CallerOptions {
  readonly scheduler: Pick<SendScheduler, "send" | "bulk" | "drop">;
  readonly streams: Streams;
  readonly deadlines: Deadlines;
  /** How long the streams of an answer wait for a reader. */
  readonly idleTimeout: number;
  peer(): Peer;
  readonly receipts: Pick<Receipts, "join">;
  /** How many messages the peer handles at once, once its hello was read. An older version drops those beyond. */
  messageWindow(): number | undefined;
  /** Called when messages were lost or refused. */
  failed(error: BonevalueError): void;
}

/** Sends our calls over `scheduler`, numbered from 1, and reads their replies. */
export function createCaller(options: CallerOptions): Caller {
  const { scheduler, streams, deadlines, idleTimeout, peer, receipts, messageWindow, failed } = options;
  const waiting = createIdMap<PeerCall>();
  // Messages whose streams are open.
  const streaming = new Set<PeerCall>();
  const queue = createSendQueue(messageWindow, transmit);
  const refusals = createThrottle<readonly [code: string, message: string]>(
    deadlines,
    (module, [code, message], count) => {
      const text = `"${peer().name}" refused ${countOf(count)} to "${module}": ${message}`;
      failed(remoteError(code, text.slice(0, longestMessage)));
    },
  );
  let lastId = 0;

  function createGroup(call: PeerCall): StreamGroup {
    return createStreamGroup(streams, {
      outgoingCode: "invalid-request",
      incomingCode: "invalid-response",
      onAcknowledged: call.request.kind === "call" ? (bytes) => acknowledge(call, bytes) : undefined,
      onEmpty() {
        if (call.status !== "sent") finish(call);
      },
    });
  }

  function finish(call: PeerCall): void {
    call.status = "over";
    streaming.delete(call);
    deadlines.stop(call.unreadDeadline);
    keepOpen(call);
    call.request.onOver?.();
  }

  function transmit(call: PeerCall): void {
    const { payload, request } = call;
    call.onDequeued?.();
    receipts.join();
    if (payload.streams.length > 0) call.group = createGroup(call).add(payload);
    if (request.kind === "call") {
      call.status = "sent";
      call.id = ++lastId;
      waiting.add(call.id, call);
    } else {
      call.status = "answered";
      deadlines.stop(call.deadline);
      if (call.group) streaming.add(call);
    }
    if (request.kind === "lossy") scheduler.send("lossy", [Kind.notify, 0, request.module.name, payload.packed]);
    else sendReliably(call);
    keepOpen(call);
  }

  function sendReliably(call: PeerCall): void {
    const { packed } = call.payload;
    const write = () => requestFrame(call);
    call.isBulk = packed.hasAttachments || packed.size + maxFrameOverhead > minMessageSize;
    if (!call.isBulk) scheduler.send("control", write);
    else {
      // The call is its own flow.
      scheduler.bulk(call, write, () => {
        if (call.request.kind === "message" && !call.hasLeft) queue.onSent(call, true);
        call.hasLeft = true;
      });
    }
  }

  /** The request as it leaves now, so that its deadline and its streams' numbers are right. */
  function requestFrame(call: PeerCall): Frame<Packed> | undefined {
    const { payload, request, group, id } = call;
    const { name } = request.module;
    try {
      const packed = group ? group.register() : streams.checkSize(payload.packed);
      if (request.kind === "call") return [Kind.call, id, name, packed, remainingMs(call)];
      if (!call.isBulk) queue.onSent(call, true);
      return [Kind.notify, 0, name, packed];
    } catch (error) {
      fail(call, thrownError(error));
      return undefined;
    }
  }

  function fail(call: PeerCall, error: BonevalueError, data?: Received): void {
    waiting.delete(call.id);
    keepOpen(call);
    call.hasLeft = true;
    if (call.request.kind === "message") queue.onSent(call, false);
    settleWithFailure(call, error, data);
  }

  return {
    get open() {
      return waiting.size + queue.size;
    },
    send(call) {
      queue.add(call);
      if (call.status === "queued" && call.request.kind !== "call") deadlines.stop(call.deadline);
    },
    cancel(call, { code }) {
      if (!waiting.delete(call.id)) return;
      const frame: Frame<never> = [Kind.cancel, call.id, code];
      if (!call.isBulk) scheduler.send("control", frame);
      else if (call.hasLeft) scheduler.bulk(call, frame);
      else scheduler.drop(call);
    },
    receiveAnswer(id, value) {
      const call = waiting.get(id);
      if (!call) return streams.refuse(value);
      waiting.delete(id);
      call.status = "answered";
      call.group?.stopTracking();
      settleWithAnswer(call, value, (kind, detail) => {
        call.group ??= createGroup(call);
        return call.group.receive(kind, detail);
      });
      const { group } = call;
      if (!group || group.isEmpty) return finish(call);
      call.unreadDeadline = deadlines.after(idleTimeout, () => group.cancelUnclaimed(unreadError()));
      keepOpen(call);
    },
    receiveFailure(id, code, message, data) {
      const call = waiting.get(id);
      if (call) fail(call, remoteError(code, message), data);
    },
    receiveAck: queue.acknowledge,
    receiveRefusal: (count, module, code, message) => refusals.add(module, [code, message], count),
    onOpened: queue.flush,
    end(reason, agreed) {
      for (const id of waiting.ids()) {
        const call = waiting.get(id);
        if (call) fail(call, reason);
      }
      for (const { group } of streaming) group?.end(reason);
      // Our own app may close the link while messages are on their way. It learns only of the messages that were not sent.
      let lost = agreed ? 0 : reason.code === "cancelled" ? queue.unsent : queue.unacknowledged;
      for (const call of queue.waiting) {
        if (call.request.kind === "call") settle(call, { error: reason });
        else endCall(call, reason);
        if (call.request.kind === "message") lost++;
      }
      refusals.stop();
      if (lost > 0) failed(lossError(peer(), lost, reason));
    },
  };
}

function lossError({ name }: Peer, count: number, { code, message }: BonevalueError): BonevalueError {
  return new BonevalueError(code, `${countOf(count)} to "${name}" may not have been handled. ${message}`);
}
