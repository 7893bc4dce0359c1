import type { TrustState } from "../../core/index.ts";
import { createTrust, type Trust } from "../../core/internal.ts";
import { getClient } from "./client.ts";
import { follow } from "./current.ts";

/** The result of {@link useTrust}: request functions, and their state as getters. */
export interface UseTrust extends Omit<Trust, "state">, TrustState {}

/**
 * Returns functions that change whom this user trusts and verifies, with the state of the requests made by them. A failed
 * request does not reject: it resolves to `false`, or `requestToken` to `undefined`, and sets `error`.
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
