import { BonevalueError } from "../errors.ts";
import type { LinkEvents } from "./transport.ts";

// Far above what a peer of this protocol sends before it has been heard, so only a hostile one gets there.
const maxEarlyBytes = 1_048_576;

/** What every transport's link is at heart: it opens once, ends once, and has one listener that may come late. */
export interface Lifetime {
  readonly opened: Promise<void>;
  readonly closed: Promise<BonevalueError | undefined>;
  readonly status: "opening" | "open" | "over";
  open(): void;
  /** The first call counts. */
  end(reason?: BonevalueError): void;
  listen(listener: LinkEvents): void;
  /** Hands an event to the listener, or keeps it until there is one. `size`: the bytes that keeping it holds. */
  notify(event: (listener: LinkEvents) => void, size?: number): void;
}

/** A link's life. `release` runs once, when it ends. */
export function createLifetime(release: (reason: BonevalueError | undefined) => void): Lifetime {
  let status: Lifetime["status"] = "opening";
  let listener: LinkEvents | undefined;
  let early: ((listener: LinkEvents) => void)[] = [];
  let held = 0;
  const { promise: opened, resolve: open, reject: refuse } = Promise.withResolvers<void>();
  const { promise: closed, resolve: close } = Promise.withResolvers<BonevalueError | undefined>();
  // Whoever only watches `closed` should not be told of an unhandled rejection.
  opened.catch(() => {});

  function end(reason?: BonevalueError): void {
    if (status === "over") return;
    status = "over";
    early = [];
    listener = undefined;
    refuse(reason ?? new BonevalueError("cancelled", "The link was closed before it had opened."));
    close(reason);
    release(reason);
  }

  return {
    opened,
    closed,
    get status() {
      return status;
    },
    open() {
      if (status !== "opening") return;
      status = "open";
      open();
    },
    end,
    listen(heard) {
      if (status === "over") return;
      listener = heard;
      const events = early;
      early = [];
      for (const event of events) event(heard);
    },
    notify(event, size = 0) {
      if (status === "over") return;
      if (listener) return event(listener);
      held += size;
      if (held > maxEarlyBytes)
        return end(new BonevalueError("protocol", "The peer sent too much before it was listened to."));
      early.push(event);
    },
  };
}
