import { useCallback, useEffect, useMemo } from "react";
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
import { useLive } from "./live.ts";
import { useClient } from "./provider.ts";

/** What {@link useCall} returns: the state of the latest call, and how to make one. The functions are stable. */
export interface UseCall<M extends Module | string> extends CallState<ResponseOutput<M>> {
  /** Asks every peer that the query names now. The call before is cancelled. */
  call(...args: Args<M, [options?: CallOptions]>): Replies<ResponseOutput<M>>;
  /** Ends what is outstanding, streams that have come included; the replies that are there stay. */
  cancel(): void;
  /** Cancels, and shows nothing. */
  reset(): void;
}

/**
 * Calls a module from event handlers, and shows what comes back. Unmounting cancels.
 *
 * @example
 * const echo = useCall(Echo, "*");
 * <button onClick={() => echo.call({ text: "Hello" })} disabled={echo.pending}>Ask</button>
 */
export function useCall<M extends Module | string>(module: M, ...[query = "*"]: [] | [query: Query]): UseCall<M> {
  const client = useClient();
  // Another client may be another account: what the one was told is not shown to the other.
  const latest = useMemo(() => ({ client, ...createLatestCall<M>() }), [client]);
  const { state, cancel, reset } = latest;
  const target = latest.client.get(query);
  useEffect(() => cancel, [cancel]);
  const call = useCallback(
    (...args: Args<M, [options?: CallOptions]>) => latest.call(target, module, ...args),
    [latest, target, module],
  );
  return { ...useLive(state, state.peek()), call, cancel, reset };
}
