import type { Clock } from "../clock.ts";
import type { BonevalueError } from "../errors.ts";
import { createLazyPart } from "../lazy-part.ts";
import type { Lifetime } from "./lifetime.ts";
import type { Link, SignalExchange } from "./transport.ts";
import type { Negotiation } from "./webrtc/negotiation.ts";

// Decides when a link that has no direct path is tried through the discovery server, in the same attempt. All that the
// relay itself needs is loaded then, and takes over: it replaces the methods of `DirectEvents`, and those of the link.

/** One attempt to open a link, directly or through the relay. */
export interface Attempt {
  readonly peer: string;
  readonly role: "caller" | "callee";
  /** With a relay. */
  readonly exchange: SignalExchange;
  readonly lifetime: Lifetime;
  readonly direct: DirectEvents;
  readonly link: Link;
  /** The direct connection, once there is one. */
  connection(): DirectConnection | undefined;
}

/** The lifetime of the link, as its direct connection sees it. */
export interface DirectEvents extends Pick<Lifetime, "open" | "end" | "notify"> {
  /** ICE has not found a path soon. */
  onLate?(): void;
  /** Why there is no direct connection, if that is certain. */
  error?: BonevalueError | undefined;
  /** The relay has taken over. */
  isRelayed?: boolean;
}

/** The direct connection of a link, as the relay sees it. */
export interface DirectConnection {
  readonly pc: RTCPeerConnection;
  readonly negotiation: Pick<Negotiation, "trouble">;
  release(): void;
}

/** Adds the fallback to an attempt. */
export type StartFallback = (attempt: Attempt) => void;

/** Creates the fallbacks of one transport. */
export function createRelayFallback(clock: Clock): StartFallback {
  const part = createLazyPart(() => import("./relay/relay.ts").then(({ createRelay }) => createRelay(clock)));

  return (attempt) => {
    const { role, exchange, lifetime, direct, link } = attempt;

    function start(): void {
      if (lifetime.status !== "opening") return;
      part.load().then(
        (relay) => relay.open(attempt),
        (error: BonevalueError) => {
          // ICE may still fail, which tries again.
          link.trouble = () => error.message;
          if (direct.error && lifetime.status === "opening") lifetime.end(error);
        },
      );
    }

    direct.end = (reason) => {
      if (lifetime.status === "opening" && reason?.code === "link-failed") {
        direct.error = reason;
        start();
      } else lifetime.end(reason);
    };
    direct.onLate = start;
    if (role === "callee") exchange.relay!.remote.then(start);
    part.loaded?.begin(attempt);
  };
}
