import type { BonevalueError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Connection, Service } from "../links/connection.ts";
import type { Peer } from "../peer.ts";
import type { Query } from "../peers/query.ts";
import { Kind } from "../wire/frames.ts";
import { protocolError } from "../wire/protocol-error.ts";
import { createCaller, type OngoingCall, type OutgoingCall, type OutgoingMessage } from "./caller.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Modules } from "./modules.ts";
import { createResponder } from "./responder.ts";
import { createStreams } from "./streams/streams.ts";

/** Calls and streams, both ways, on one connection. */
export interface Rpc extends Service {
  call(call: OutgoingCall): OngoingCall;
  /** Sends a request that nothing comes back for. A lossy one holds no streams. */
  notify(message: Omit<OutgoingMessage, "failed">, lossy: boolean): void;
}

/** What {@link createRpc} needs of the client. Times in ms. */
export interface RpcOptions {
  readonly peer: Peer;
  readonly modules: Modules;
  readonly deadlines: Deadlines;
  readonly limits: Limits;
  /** For how long the streams of an answer wait for a reader. */
  readonly idleTimeout: number;
  /** The clock's time. */
  now(): number;
  isAllowed(allow: Query, peer: Peer): boolean;
  /** Told what went wrong where no caller waits to hear of it. */
  failed(error: BonevalueError): void;
}

/** Serves `connection`, and calls on it. */
export function createRpc(connection: Pick<Connection<Rpc>, "scheduler" | "remote">, options: RpcOptions): Rpc {
  const { peer } = options;
  const { scheduler } = connection;
  const streams = createStreams({ ...options, scheduler, remote: () => connection.remote });
  const caller = createCaller({ ...options, scheduler, streams });
  const responder = createResponder({
    ...options,
    scheduler,
    streams,
    isAllowed: (allow) => options.isAllowed(allow, peer),
  });
  return {
    get isIdle() {
      return caller.open === 0 && responder.open === 0 && streams.openCount === 0;
    },
    call: caller.call,
    notify(message, lossy) {
      if (lossy) scheduler.send("lossy", [Kind.notify, 0, message.module, message.payload.packed]);
      else caller.notify({ ...message, failed: options.failed });
    },
    receive(frame) {
      switch (frame[0]) {
        case Kind.call:
        case Kind.cancel:
        case Kind.notify:
          return responder.receive(frame);
        case Kind.answer:
        case Kind.fail:
          return caller.receive(frame);
        case Kind.item:
        case Kind.end:
        case Kind.credit:
        case Kind.stop:
          return streams.receive(frame);
        default:
          throw protocolError("a frame where it has no place");
      }
    },
    end(reason) {
      streams.end(reason);
      caller.end(reason);
      responder.end(reason);
    },
  };
}
