import { computed, type Ref } from "vue";
import { type BonevalueError, createTrust, type Trust } from "../../core/index.ts";
import { useClient } from "./client.ts";
import { useLive } from "./live.ts";

/** What {@link useTrust} returns. */
export interface UseTrust extends Omit<Trust, "state"> {
  /** Whether the server has not answered all requests. */
  readonly pending: Readonly<Ref<boolean>>;
  /** Why one failed. The next request clears it. */
  readonly error: Readonly<Ref<BonevalueError | undefined>>;
}

/**
 * Requests about trust, and how they stand. None rejects: each resolves to what came of it, and `error` says why it failed.
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
