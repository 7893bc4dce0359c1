import { BonevalueError } from "../../errors.ts";
import { createLifetime } from "../lifetime.ts";
import type { Link, SignalExchange } from "../transport.ts";
import type { Duplex, End } from "./duplex.ts";
import type { Pipe } from "./pipe.ts";

/** One side of a memory link. */
export interface Endpoint extends End {
  /** The peer on the other side. */
  readonly peer: string;
  readonly link: Link;
  /** The address of the other endpoint, once its description and candidate have arrived. */
  readonly target: string | undefined;
  duplex: Duplex | undefined;
}

/** The parts of an endpoint. */
export interface EndpointOptions {
  readonly peer: string;
  readonly role: "caller" | "callee";
  readonly exchange: SignalExchange;
  /** Sent to the other side in the description. */
  readonly address: string;
  readonly maxMessage: number;
  readonly roundTrip: number;
  /** Called when `target` is known. */
  onTarget(): void;
  onEnd(): void;
}

/** Creates an endpoint, which starts to signal in a microtask, as real transports do. */
export function createEndpoint(options: EndpointOptions): Endpoint {
  const { peer, role, exchange, address, maxMessage } = options;
  const lifetime = createLifetime(() => {
    options.onEnd();
    endpoint.duplex?.close(endpoint);
  });
  let out: Pipe | undefined;
  let described: string | undefined;
  let reachable = false;
  let lowMark = 0;
  let isAboveLowMark = false;

  function describe(): void {
    exchange.describe({ type: role === "caller" ? "offer" : "answer", sdp: address });
    exchange.candidate({ candidate: "memory" });
  }

  function checkTarget(): void {
    if (described !== undefined && reachable) options.onTarget();
  }

  queueMicrotask(() => {
    if (lifetime.status !== "opening") return;
    exchange.listen({
      description({ type, sdp }) {
        if (type !== (role === "caller" ? "answer" : "offer")) {
          lifetime.end(new BonevalueError("protocol", `The peer sent an unexpected ${type}.`));
        } else {
          described = sdp;
          if (role === "callee") describe();
          checkTarget();
        }
      },
      candidate() {
        reachable = true;
        checkTarget();
      },
      restart() {},
    });
    if (role === "caller") describe();
  });

  const link: Link = {
    opened: lifetime.opened,
    closed: lifetime.closed,
    maxMessage,
    get buffered() {
      return out?.buffered ?? 0;
    },
    get lowMark() {
      return lowMark;
    },
    set lowMark(mark) {
      lowMark = mark;
      if (isAboveLowMark) endpoint.departed();
      else isAboveLowMark = link.buffered > mark;
    },
    listen: lifetime.listen,
    send(channel, message) {
      if (lifetime.status !== "open") return;
      if (message.byteLength > maxMessage) {
        lifetime.end(new BonevalueError("link-failed", `The message is larger than ${maxMessage} bytes.`));
        return;
      }
      out?.send(channel, message);
      isAboveLowMark ||= link.buffered > lowMark;
    },
    close: lifetime.end,
    stats: async () => ({ path: "memory", roundTrip: options.roundTrip }),
  };

  const endpoint: Endpoint = {
    peer,
    link,
    lifetime,
    duplex: undefined,
    get target() {
      return reachable ? described : undefined;
    },
    attach(pipe) {
      out = pipe;
      exchange.settled();
    },
    departed() {
      if (!isAboveLowMark || link.buffered > lowMark) return;
      isAboveLowMark = false;
      lifetime.notify((listener) => listener.drain());
    },
  };
  return endpoint;
}
