import { computed, type MaybeRefOrGetter, onScopeDispose, type Ref, toValue } from "vue";
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
import { useClient } from "./client.ts";
import { useLive } from "./live.ts";

type Refs<State> = { readonly [Key in keyof State]: Readonly<Ref<State[Key]>> };

/** What {@link useCall} returns: the state of the latest call as refs, and how to make one. */
export interface UseCall<M extends Module | string> extends Refs<CallState<ResponseOutput<M>>> {
  /** Asks every peer that the query names now. The call before is cancelled. */
  call(...args: Args<M, [options?: CallOptions]>): Replies<ResponseOutput<M>>;
  /** Ends what is outstanding, streams that have come included; the replies that are there stay. */
  cancel(): void;
  /** Cancels, and shows nothing. */
  reset(): void;
}

/**
 * Calls a module, and shows what comes back. The end of the scope cancels.
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
