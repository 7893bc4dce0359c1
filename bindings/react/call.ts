import { useCallback, useEffect, useMemo } from "react";
import type { Args, CallOptions, CallState, Module, Query, Replies, ResponseOutput } from "../../core/index.ts";
import { createLatestCall } from "../../core/internal.ts";
import { useLive } from "./live.ts";
import { useClient } from "./provider.ts";

/** The result of {@link useCall}: the state of the latest call, and functions to start and cancel one. The functions are stable. */
export interface UseCall<M extends Module | string> extends CallState<ResponseOutput<M>> {
  /** Calls every peer that the query matches now. Cancels the previous call. */
  call(...args: Args<M, [options?: CallOptions]>): Replies<ResponseOutput<M>>;
  /** Cancels pending replies and open streams. Keeps the replies that have arrived. */
  cancel(): void;
  /** Cancels, and clears the state. */
  reset(): void;
}

/**
 * Calls a module and exposes the state of the latest call. Unmounting cancels it.
 *
 * @example
 * const echo = useCall(Echo, "*");
 * <button onClick={() => echo.call({ text: "Hello" })} disabled={echo.pending}>Ask</button>
 */
export function useCall<M extends Module | string>(module: M, ...[query = "*"]: [] | [query: Query]): UseCall<M> {
  const client = useClient();
  // A new client may belong to another account, so it starts without the replies of the old one.
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
