import { useMemo } from "react";
import { createTrust, type Trust, type TrustState } from "../../core/index.ts";
import { useLive } from "./live.ts";
import { useClient } from "./provider.ts";

/** What {@link useTrust} returns. The functions are stable. */
export interface UseTrust extends Omit<Trust, "state">, TrustState {}

/**
 * Requests about trust, and how they stand. A rejection that `error` shows need not be handled as well.
 *
 * @example
 * const { claimToken, pending, error } = useTrust();
 * <form action={(data) => claimToken(String(data.get("name")), token)}>{error?.message}</form>
 */
export function useTrust(): UseTrust {
  const client = useClient();
  const { state, ...requests } = useMemo(() => createTrust(client), [client]);
  return { ...requests, ...useLive(state, state.peek()) };
}
