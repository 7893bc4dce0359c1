import { onDestroy } from "svelte";
import {
  type Args,
  type CallOptions,
  type CallState,
  createLatestCall,
  type Module,
  type Query,
  type Replies,
  type ResponseOutput,
} from "../../core/index.ts";
import { getClient } from "./client.ts";
import { follow, given, type MaybeGetter } from "./current.ts";

/** What {@link useCall} returns: the state of the latest call as getters, and how to make one. */
export interface UseCall<M extends Module | string> extends CallState<ResponseOutput<M>> {
  /** Asks every peer that the query names now. The call before is cancelled. */
  call(...args: Args<M, [options?: CallOptions]>): Replies<ResponseOutput<M>>;
  /** Ends what is outstanding, streams that have come included; the replies that are there stay. */
  cancel(): void;
  /** Cancels, and shows nothing. */
  reset(): void;
}

/**
 * Calls a module, and shows what comes back. Destroying the component cancels.
 *
 * @example
 * const echo = useCall(Echo, "*");
 * // <button disabled={echo.pending} onclick={() => echo.call({ text: "Hello" })}>Ask</button>
 */
export function useCall<M extends Module | string>(
  module: M,
  ...[query = "*"]: [] | [query: MaybeGetter<Query>]
): UseCall<M> {
  const client = getClient();
  const latest = createLatestCall<M>();
  const shown = follow(() => latest.state);
  onDestroy(latest.cancel);
  return {
    call: (...args) => latest.call(client.get(given(query)), module, ...args),
    cancel: latest.cancel,
    reset: latest.reset,
    get replies() {
      return shown.current.replies;
    },
    get pending() {
      return shown.current.pending;
    },
    get first() {
      return shown.current.first;
    },
    get progress() {
      return shown.current.progress;
    },
    get error() {
      return shown.current.error;
    },
  };
}
