import { useMemo } from "react";
import { createTrust, type Trust, type TrustState } from "../../core/index.ts";
import { useLive } from "./live.ts";
import { useClient } from "./provider.ts";

/** What {@link useTrust} returns. The functions are stable. */
export interface UseTrust extends Omit<Trust, "state">, TrustState {}

/**
 * Requests about trust, and how they stand. None rejects: each resolves to what came of it, and `error` says why it failed.
 *
 * @example
 * const { claimToken, pending, error } = useTrust();
 * <button onClick={() => claimToken(name, token)} disabled={pending}>Trust {name}</button> {error?.message}
 */
export function useTrust(): UseTrust {
  const client = useClient();
  const { state, ...requests } = useMemo(() => createTrust(client), [client]);
  return { ...requests, ...useLive(state, state.peek()) };
}
