import { useMemo } from "react";
import type { TrustState } from "../../core/index.ts";
import { createTrust, type Trust } from "../../core/internal.ts";
import { useLive } from "./live.ts";
import { useClient } from "./provider.ts";

/** The result of {@link useTrust}: request functions and their state. The functions stay the same while the client does. */
export interface UseTrust extends Omit<Trust, "state">, TrustState {}

/**
 * Returns functions that change whom this user trusts and verifies, with the state of the requests made by them. A failed
 * request does not reject: it resolves to `false`, or `requestToken` to `undefined`, and sets `error`.
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
