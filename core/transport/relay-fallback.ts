import type { Clock } from "../clock.ts";
import type { BonevalueError } from "../errors.ts";
import { createLazyPart } from "../lazy-part.ts";
import type { Lifetime } from "./lifetime.ts";
import type { CarryingRelay } from "./relay/relay.ts";
import type { RelayDescription, RelayExchange, SignalExchange } from "./transport.ts";

// Decides when a link that has no direct path is tried through the discovery server, in the same attempt. All that the
// relay itself needs is loaded then, and takes over: it replaces the methods of `DirectEvents`.

// ICE finds most paths within a second.
const directTimeoutMs = 4_000;

/** One attempt to open a link, directly or through the relay. */
export interface FallbackOptions {
  readonly peer: string;
  readonly role: "caller" | "callee";
  readonly exchange: SignalExchange;
  readonly relay: RelayExchange;
  readonly lifetime: Lifetime;
  /** Whether to wait longer: there is a path, or a TURN server may make one. */
  isPromising(): boolean;
  /** The relay carries the link from now on. */
  use(relay: CarryingRelay): void;
}

/** The lifetime of the link, as its direct connection sees it. */
export interface DirectEvents extends Pick<Lifetime, "open" | "end" | "notify"> {
  /** The peer has answered, so ICE begins. */
  answered?(): void;
  /** Why the relay is not open yet. */
  trouble?(): string;
  /** Why there is no direct connection, if that is certain. */
  error?: BonevalueError | undefined;
}

/** Starts the fallback of one attempt. */
export type StartFallback = (options: FallbackOptions) => DirectEvents;

/** Creates the fallbacks of one transport. They remember which peers were reached only by the relay. */
export function createRelayFallback(clock: Clock): StartFallback {
  const code = createLazyPart(() => import("./relay/relay.ts"));
  const relayedUntil = new Map<string, number>();

  return (options) => {
    const { role, lifetime } = options;
    let isStarted = false;
    let undoTimeout = () => {};

    function start(offer?: RelayDescription): void {
      if (isStarted || lifetime.status !== "opening") return;
      isStarted = true;
      code.load().then(() => {
        // A direct link may have opened meanwhile.
        if (lifetime.status === "opening") code.loaded!.openRelay({ ...options, clock, offer, relayedUntil, direct });
      }, onNotLoaded);
    }

    function onNotLoaded(error: BonevalueError): void {
      if (lifetime.status !== "opening") return;
      if (direct.error) lifetime.end(error);
      // ICE may still fail, which tries again.
      isStarted = false;
      direct.trouble = () => error.message;
    }

    /** Looks after 4 s, and again after 8 s if it is promising then: ICE would fail only after the dial has ended. */
    function look(isLast: boolean): void {
      undoTimeout = clock.after(directTimeoutMs, () => (options.isPromising() && !isLast ? look(true) : start()));
    }

    const direct: DirectEvents = {
      open: lifetime.open,
      notify: lifetime.notify,
      end(reason) {
        if (lifetime.status !== "opening" || reason?.code !== "link-failed") return lifetime.end(reason);
        direct.error = reason;
        if (role === "caller") start();
      },
      answered() {
        undoTimeout();
        look(false);
      },
    };
    if (role === "callee") options.relay.listen(start);
    else if (relayedUntil.get(options.peer)! > clock.now()) start();
    lifetime.closed.then(() => undoTimeout());
    // A relayed link is remembered again at its end.
    lifetime.opened.then(
      () => relayedUntil.delete(options.peer),
      () => {},
    );
    return direct;
  };
}
