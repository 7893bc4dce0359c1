import type { BonevalueError } from "../errors.ts";
import type { Peer } from "../peer.ts";
import type { NamedExchange } from "./module.ts";

/** How a handler ended: with what it answered, or with what it threw. */
export type Ending = { readonly value: unknown } | { readonly thrown: unknown };

/** A request on its way through a handler. */
export interface Incoming {
  /** It has been answered, or nobody waits for an answer any more. */
  readonly isOver: boolean;
  /** What the handler sees of it. */
  exchange(request: unknown): NamedExchange;
  /** The first ending counts. */
  end(ending: Ending): void;
  /** Nobody waits for the answer any more: the handler's signal aborts with the reason. */
  abort(reason: BonevalueError): void;
}

/** A request of `peer`; `over` is told once how it ended, or nothing when it was aborted. */
export function createIncoming(peer: Peer, over: (ending?: Ending) => void): Incoming {
  let isOver = false;
  let aborted: BonevalueError | undefined;
  // Made when a handler asks for it: most never do.
  let controller: AbortController | undefined;

  function end(ending: Ending): void {
    if (isOver) return;
    isOver = true;
    over(ending);
  }

  return {
    get isOver() {
      return isOver;
    },
    end,
    abort(reason) {
      aborted = reason;
      controller?.abort(reason);
      if (isOver) return;
      isOver = true;
      over();
    },
    exchange: (request) => ({
      request,
      peer,
      get signal() {
        controller ??= new AbortController();
        if (aborted) controller.abort(aborted);
        return controller.signal;
      },
      callback: (value) => end({ value }),
    }),
  };
}
