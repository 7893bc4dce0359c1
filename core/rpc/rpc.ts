import type { BonevalueError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Connection, Service } from "../links/connection.ts";
import type { Peer } from "../peer.ts";
import type { Query } from "../peers/query.ts";
import { Kind } from "../wire/frames.ts";
import { protocolError } from "../wire/protocol-error.ts";
import type { CallSender } from "./call-peer.ts";
import { createCaller } from "./caller.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Modules } from "./modules.ts";
import { createReceipts } from "./receipts.ts";
import { createResponder } from "./responder.ts";
import { createStreams } from "./streams/streams.ts";

/** Calls, messages and streams of one connection, both ways. */
export type Rpc = CallSender;

/** Options of {@link createRpc}. Times in ms. */
export interface RpcOptions {
  /** The other side, with its newest profile. */
  peer(): Peer;
  readonly modules: Modules;
  readonly deadlines: Deadlines;
  readonly limits: Limits;
  /** Carries the presence frames. */
  readonly presence: Service;
  /** How long the streams of an answer wait for a reader. */
  readonly idleTimeout: number;
  /** The clock's time. */
  now(): number;
  isAllowed(allow: Query): boolean;
  /** Called with errors that no caller gets, and with the faults of this page. */
  failed(error: BonevalueError): void;
}

/** Serves the peer's requests on `connection`, and sends ours. Every frame is dispatched here, once. */
export function createRpc(
  connection: Pick<Connection<Rpc>, "scheduler" | "remote" | "verified">,
  options: RpcOptions,
): Rpc {
  const { scheduler } = connection;
  const { presence } = options;
  const streams = createStreams({ ...options, scheduler, remote: () => connection.remote });
  const delivers = () => connection.remote?.features?.includes("delivery") === true;
  const receipts = createReceipts({
    scheduler,
    deadlines: options.deadlines,
    window: options.limits.requestsPerPeer,
    isUnderstood: delivers,
  });
  const link = {
    ...options,
    scheduler,
    streams,
    receipts,
    messageWindow: () => (delivers() ? connection.remote?.calls : connection.remote && Number.POSITIVE_INFINITY),
    isVerified: () => connection.verified,
  };
  const caller = createCaller(link);
  const responder = createResponder(link);
  return {
    get isIdle() {
      return caller.open === 0 && responder.open === 0 && streams.openCount === 0 && presence.isIdle;
    },
    send: caller.send,
    cancel: caller.cancel,
    opened() {
      caller.onOpened();
      presence.opened?.();
    },
    receive(frame, channel) {
      switch (frame[0]) {
        case Kind.call:
          return responder.receiveCall(frame[1], frame[2], frame[3], frame[4]);
        case Kind.answer:
          return caller.receiveAnswer(frame[1], frame[2]);
        case Kind.fail:
          return caller.receiveFailure(frame[1], frame[2], frame[3], frame[4]);
        case Kind.cancel:
          return responder.receiveCancel(frame[1], frame[2]);
        case Kind.notify:
          return responder.receiveMessage(frame[2], frame[3], channel === "lossy");
        case Kind.ack:
          return caller.receiveAck(frame[1]);
        case Kind.refuse:
          return caller.receiveRefusal(frame[1], frame[2], frame[3], frame[4]);
        case Kind.item:
          return streams.receiveItem(frame[1], frame[2]);
        case Kind.end:
          return streams.receiveEnd(frame[1], frame[2], frame[3]);
        case Kind.credit:
          return streams.receiveCredit(frame[1], frame[2], frame[3]);
        case Kind.stop:
          return streams.receiveStop(frame[1], frame[2]);
        case Kind.presence:
          return presence.receive(frame, channel);
        default:
          throw protocolError("an unexpected frame");
      }
    },
    end(reason, agreed) {
      streams.end(reason);
      caller.end(reason, agreed);
      responder.end(reason);
      receipts.stop();
      presence.end(reason, agreed);
    },
  };
}
