import { useCallback, useEffect, useState } from "react";
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
export function useCall<M extends Module | string>(module: M, query: Query = "*"): UseCall<M> {
  const target = useClient().get(query);
  const [latest] = useState(createLatestCall<M>);
  const { state, cancel, reset } = latest;
  useEffect(() => cancel, [cancel]);
  const call = useCallback(
    (...args: Args<M, [options?: CallOptions]>) => latest.call(target, module, ...args),
    [latest, target, module],
  );
  return { ...useLive(state, state.peek()), call, cancel, reset };
}
