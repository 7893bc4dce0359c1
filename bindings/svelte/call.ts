import { onDestroy } from "svelte";
import type { Args, CallOptions, CallState, Module, Query, Replies, ResponseOutput } from "../../core/index.ts";
import { createLatestCall } from "../../core/internal.ts";
import { getClient } from "./client.ts";
import { follow, getValue, type MaybeGetter } from "./current.ts";

/** The result of {@link useCall}: the state of the latest call as getters, and functions to start and cancel one. */
export interface UseCall<M extends Module | string> extends CallState<ResponseOutput<M>> {
  /** Calls every peer that the query matches now. Cancels the previous call. */
  call(...args: Args<M, [options?: CallOptions]>): Replies<ResponseOutput<M>>;
  /** Cancels pending replies and open streams. Keeps the replies that have arrived. */
  cancel(): void;
  /** Cancels, and clears the state. */
  reset(): void;
}

/**
 * Calls a module and exposes the state of the latest call. Destroying the component cancels it.
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
    call: (...args) => latest.call(client.get(getValue(query)), module, ...args),
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
