import type { BonevalueError } from "../errors.ts";
import { lazyProperty } from "../lazy-property.ts";
import type { Peer } from "../peer.ts";
import type { NamedHandlerContext } from "./module.ts";
import { discardValue } from "./streams/payload.ts";

/** How a handler ended: with what it answered, or with what it threw. */
export type Ending = { readonly value: unknown } | { readonly thrown: unknown };

/** A request on its way through a handler. */
export interface IncomingRequest {
  /** It has been answered, or nobody waits for an answer any more. */
  isOver(): boolean;
  /** Resolves with `work`, which never rejects, or when the request is over before. */
  until(work: Promise<void>): Promise<void>;
  /** What the handler sees of it. */
  exchange(request: unknown): NamedHandlerContext;
  /** The first ending counts; the streams of an answer that comes too late are cancelled. */
  end(ending: Ending): void;
  /** Nobody waits for the answer, or for the rest of its streams: the handler's signal aborts with the reason. */
  abort(reason: BonevalueError): void;
}

const withSignal = lazyProperty("signal");

/** A request of `peer`. `told` learns once how it ended, and gets nothing when it was aborted. */
export function createIncomingRequest(peer: Peer, told: (ending?: Ending) => void): IncomingRequest {
  let isOver = false;
  let aborted: BonevalueError | undefined;
  // Made when a handler asks for it: most never do.
  let controller: AbortController | undefined;
  let wake = () => {};

  function finish(ending?: Ending): void {
    isOver = true;
    wake();
    told(ending);
  }

  function end(ending: Ending): void {
    if (!isOver) finish(ending);
    else if ("value" in ending) discardValue(ending.value);
  }

  return {
    isOver: () => isOver,
    until: (work) =>
      new Promise((resolve) => {
        wake = resolve;
        work.then(resolve);
      }),
    end,
    abort(reason) {
      aborted ??= reason;
      controller?.abort(reason);
      if (!isOver) finish();
    },
    exchange: (request) =>
      withSignal({ request, peer, callback: (value: unknown) => end({ value }) }, () => {
        controller ??= new AbortController();
        if (aborted) controller.abort(aborted);
        return controller.signal;
      }),
  };
}
