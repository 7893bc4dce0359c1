import { BonevalueError } from "../errors.ts";
import type { LinkEvents } from "./transport.ts";

// Far more than an honest peer sends before this side listens.
const maxEarlyBytes = 1_048_576;
// The memory that an event needs beside its bytes.
const eventCost = 128;

/** The states of a link, for every transport: it opens once, ends once, and has one listener that may be set later. */
export interface Lifetime {
  readonly opened: Promise<void>;
  readonly closed: Promise<BonevalueError | undefined>;
  readonly status: "opening" | "open" | "over";
  open(): void;
  /** Later calls have no effect. */
  end(reason?: BonevalueError): void;
  listen(listener: LinkEvents): void;
  /** Passes an event to the listener, or queues it until there is one. `size` is the number of bytes that it retains. */
  notify(event: (listener: LinkEvents) => void, size?: number): void;
}

/** Creates the lifetime of a link. `release` runs once, at its end. */
export function createLifetime(release: (reason: BonevalueError | undefined) => void): Lifetime {
  let status: Lifetime["status"] = "opening";
  let listener: LinkEvents | undefined;
  let early: ((listener: LinkEvents) => void)[] = [];
  let earlySize = 0;
  const { promise: opened, resolve: open, reject: refuse } = Promise.withResolvers<void>();
  const { promise: closed, resolve: close } = Promise.withResolvers<BonevalueError | undefined>();
  // An app that watches only `closed` should not get an unhandled rejection.
  opened.catch(() => {});

  function end(reason?: BonevalueError): void {
    if (status === "over") return;
    status = "over";
    early = [];
    listener = undefined;
    refuse(reason ?? new BonevalueError("cancelled", "The link was closed before it opened."));
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
    listen(added) {
      if (status === "over") return;
      listener = added;
      const events = early;
      early = [];
      for (const event of events) event(added);
    },
    notify(event, size = 0) {
      if (status === "over") return;
      if (listener) return event(listener);
      earlySize += size + eventCost;
      if (earlySize > maxEarlyBytes)
        return end(new BonevalueError("protocol", "The peer sent too much before the link was ready. Call again."));
      early.push(event);
    },
  };
}
