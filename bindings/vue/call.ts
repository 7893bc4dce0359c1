import { computed, type MaybeRefOrGetter, onScopeDispose, type Ref, toValue } from "vue";
import type { Args, CallOptions, CallState, Module, Query, Replies, ResponseOutput } from "../../core/index.ts";
import { createLatestCall } from "../../core/internal.ts";
import { useClient } from "./client.ts";
import { useLive } from "./live.ts";

type Refs<State> = { readonly [Key in keyof State]: Readonly<Ref<State[Key]>> };

/** The result of {@link useCall}: the state of the latest call as refs, and functions to start and cancel one. */
export interface UseCall<M extends Module | string> extends Refs<CallState<ResponseOutput<M>>> {
  /** Calls every peer that the query matches now. Cancels the previous call. */
  call(...args: Args<M, [options?: CallOptions]>): Replies<ResponseOutput<M>>;
  /** Cancels pending replies and open streams. Keeps the replies that have arrived. */
  cancel(): void;
  /** Cancels, and clears the state. */
  reset(): void;
}

/**
 * Calls a module and exposes the state of the latest call. The end of the scope cancels it.
 *
 * @example
 * const { call, pending, replies } = useCall(Echo, "*");
 * // <button :disabled="pending" @click="call({ text: 'Hello' })">Ask</button>
 */
export function useCall<M extends Module | string>(
  module: M,
  ...[query = "*"]: [] | [query: MaybeRefOrGetter<Query>]
): UseCall<M> {
  const client = useClient();
  const latest = createLatestCall<M>();
  const { state, cancel, reset } = latest;
  const current = useLive(() => state, state.peek());
  onScopeDispose(cancel);
  return {
    call: (...args) => latest.call(client.get(toValue(query)), module, ...args),
    cancel,
    reset,
    replies: computed(() => current.value.replies),
    pending: computed(() => current.value.pending),
    first: computed(() => current.value.first),
    progress: computed(() => current.value.progress),
    error: computed(() => current.value.error),
  };
}
