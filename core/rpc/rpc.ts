import type { BonevalueError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Connection, Service } from "../links/connection.ts";
import type { Peer } from "../peer.ts";
import type { Query } from "../peers/query.ts";
import { type Packed, pack, unpackValue } from "../wire/codec.ts";
import { Kind } from "../wire/frames.ts";
import { malformed } from "../wire/malformed.ts";
import { createCaller, type OutgoingCall, type Send } from "./caller.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Modules } from "./modules.ts";
import { createResponder } from "./responder.ts";

/** Calls, both ways, on one connection. */
export interface Rpc extends Service {
  /** Sends a call; returns what gives it up. */
  call(call: OutgoingCall): (code: string) => void;
  /** Sends a request that nothing comes back for. */
  tell(module: string, request: Packed, lossy: boolean): void;
}

/** What {@link createRpc} needs of the client. */
export interface RpcOptions {
  readonly peer: Peer;
  readonly modules: Modules;
  readonly deadlines: Deadlines;
  readonly limits: Limits;
  isAllowed(allow: Query, peer: Peer): boolean;
  /** Told what a handler threw where no caller waits to hear of it. */
  failed(error: BonevalueError): void;
}

/** Serves `connection`, and calls on it. */
export function createRpc(connection: Connection<Rpc>, options: RpcOptions): Rpc {
  const { peer, limits } = options;
  const send: Send = (write) => connection.lanes.send("control", write);
  const caller = createCaller(send);
  const responder = createResponder({
    ...options,
    capacity: limits.requestsPerPeer,
    isAllowed: (allow) => options.isAllowed(allow, peer),
    send,
    pack: (value) =>
      pack(value, { name: "response", code: "invalid-response", depth: limits.depth, size: limits.messageSize }),
    unpack: unpackValue,
  });
  return {
    get isIdle() {
      return caller.open === 0 && responder.open === 0;
    },
    call: caller.call,
    tell(module, request, lossy) {
      connection.lanes.send(lossy ? "lossy" : "control", () => [Kind.tell, 0, module, request]);
    },
    receive(frame) {
      switch (frame[0]) {
        case Kind.call:
        case Kind.cancel:
        case Kind.tell:
          return responder.receive(frame);
        case Kind.answer:
        case Kind.fail:
          return caller.receive(frame);
        default:
          throw malformed("a frame where it has no place");
      }
    },
    end(reason) {
      caller.end(reason);
      responder.end(reason);
    },
  };
}
