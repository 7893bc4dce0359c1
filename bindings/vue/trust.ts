import { computed, type Ref } from "vue";
import type { BonevalueError } from "../../core/index.ts";
import { createTrust, type Trust } from "../../core/internal.ts";
import { useClient } from "./client.ts";
import { useLive } from "./live.ts";

/** The result of {@link useTrust}: request functions, and their state as refs. */
export interface UseTrust extends Omit<Trust, "state"> {
  /** Whether a request has no answer yet. */
  readonly pending: Readonly<Ref<boolean>>;
  /** The error of the last request that failed. The next request clears it. */
  readonly error: Readonly<Ref<BonevalueError | undefined>>;
}

/**
 * Returns functions that change whom this user trusts and verifies, with the state of the requests made by them. A failed
 * request does not reject: it resolves to `false`, or `requestToken` to `undefined`, and sets `error`.
 *
 * @example
 * const { claimToken, pending, error } = useTrust();
 * // <form @submit.prevent="claimToken(name, token)">{{ error?.message }}</form>
 */
export function useTrust(): UseTrust {
  const { state, ...requests } = createTrust(useClient());
  const current = useLive(() => state, state.peek());
  return {
    ...requests,
    pending: computed(() => current.value.pending),
    error: computed(() => current.value.error),
  };
}
