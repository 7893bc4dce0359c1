import type { Client } from "./client.ts";
import type { BonevalueError } from "./errors.ts";
import { createLive, type Live, write } from "./reactive.ts";

/** How the requests of one {@link Trust} stand. Frozen. */
export interface TrustState {
  /** Whether the server has not answered all of them. */
  readonly pending: boolean;
  /** Why one failed. The next request clears it. */
  readonly error: BonevalueError | undefined;
}

/**
 * The client's requests about trust, and how they stand. Each returns the client's own promise; a view that shows `error`
 * need not handle its rejection.
 */
export interface Trust extends Pick<Client, "invite" | "requestToken" | "claimToken" | "removeUser"> {
  readonly state: Live<TrustState>;
}

/**
 * Requests about trust for one view.
 *
 * @example
 * const trust = createTrust(client);
 * trust.state.subscribe(({ pending, error }) => render(pending, error?.message));
 * form.onsubmit = () => trust.claimToken(alias.value, token.value);
 */
export function createTrust(client: Client): Trust {
  const state = createLive<TrustState>(Object.freeze({ pending: false, error: undefined }));
  let running = 0;

  function show(error: BonevalueError | undefined): void {
    write(state, Object.freeze({ pending: running > 0, error }));
  }

  function watched<Args extends unknown[], Result>(request: (...args: Args) => Promise<Result>) {
    return (...args: Args): Promise<Result> => {
      const answer = request(...args);
      running++;
      show(undefined);
      const ended = (error = state.peek().error) => {
        running--;
        show(error);
      };
      answer.then(() => ended(), ended);
      return answer;
    };
  }

  return {
    state,
    invite: watched(client.invite),
    requestToken: watched(client.requestToken),
    claimToken: watched(client.claimToken),
    removeUser: watched(client.removeUser),
  };
}
