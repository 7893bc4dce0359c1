import { createTrust, type Trust, type TrustState } from "../../core/index.ts";
import { getClient } from "./client.ts";
import { follow } from "./current.ts";

/** What {@link useTrust} returns: how the requests stand as getters, and how to make them. */
export interface UseTrust extends Omit<Trust, "state">, TrustState {}

/**
 * Requests about trust, and how they stand. None rejects: each resolves to what came of it, and `error` says why it failed.
 *
 * @example
 * const trust = useTrust();
 * // <button disabled={trust.pending} onclick={() => trust.claimToken(name, token)}>Trust {name}</button>
 */
export function useTrust(): UseTrust {
  const { state, ...requests } = createTrust(getClient());
  const shown = follow(() => state);
  return {
    ...requests,
    get pending() {
      return shown.current.pending;
    },
    get error() {
      return shown.current.error;
    },
  };
}
