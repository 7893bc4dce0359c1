import type { Client } from "./client.ts";
import type { InvitationNames, TrustToken } from "./discovery/discovery.ts";
import type { BonevalueError } from "./errors.ts";
import type { Alias } from "./peer.ts";
import { createLive, type Live, set } from "./reactive.ts";

/** The state of the requests that `useTrust` makes. Frozen. */
export interface TrustState {
  /** Whether a request has no answer yet. */
  readonly pending: boolean;
  /** The error of the last request that failed. The next request clears it. */
  readonly error: BonevalueError | undefined;
}

/** The client's requests about trust, with their state. They never reject; errors are in `state`. */
export interface Trust {
  readonly state: Live<TrustState>;
  /** Like {@link Client.invite}. Resolves to whether it succeeded. */
  invite(email: string, names?: InvitationNames): Promise<boolean>;
  /** Like {@link Client.requestToken}. Resolves to undefined if it failed. */
  requestToken(alias: Alias): Promise<TrustToken | undefined>;
  /** Like {@link Client.claimToken}. Resolves to whether it succeeded. */
  claimToken(alias: Alias, token: string): Promise<boolean>;
  /** Like {@link Client.removeUser}. Resolves to whether it succeeded. */
  removeUser(alias: Alias): Promise<boolean>;
  /** Like {@link Client.acceptIdentity}. Resolves to whether it succeeded. */
  acceptIdentity(alias: Alias, account: string): Promise<boolean>;
  /** Like {@link Client.removeDevice}. Resolves to whether it succeeded. */
  removeDevice(device: string): Promise<boolean>;
  /** Like {@link Client.resetIdentity}. Resolves to whether it succeeded. */
  resetIdentity(): Promise<boolean>;
}

/**
 * Creates the requests about trust for one view.
 *
 * @example
 * const trust = createTrust(client);
 * trust.state.subscribe(({ pending, error }) => render(pending, error?.message));
 * form.onsubmit = () => trust.claimToken(alias.value, token.value);
 */
export function createTrust(client: Client): Trust {
  const state = createLive<TrustState>(Object.freeze({ pending: false, error: undefined }));
  let running = 0;

  function update(error: BonevalueError | undefined): void {
    set(state, Object.freeze({ pending: running > 0, error }));
  }

  function track<Result, Failure>(answer: Promise<Result>, failure: Failure): Promise<Result | Failure> {
    running++;
    update(undefined);
    const ended = (error = state.peek().error) => {
      running--;
      update(error);
    };
    return answer.then(
      (result) => {
        ended();
        return result;
      },
      (error) => {
        ended(error);
        return failure;
      },
    );
  }

  const succeeds = (answer: Promise<void>) =>
    track(
      answer.then(() => true),
      false,
    );

  return {
    state,
    invite: (email, names) => succeeds(client.invite(email, names)),
    requestToken: (alias) => track(client.requestToken(alias), undefined),
    claimToken: (alias, token) => succeeds(client.claimToken(alias, token)),
    removeUser: (alias) => succeeds(client.removeUser(alias)),
    acceptIdentity: (alias, account) => succeeds(client.acceptIdentity(alias, account)),
    removeDevice: (device) => succeeds(client.removeDevice(device)),
    resetIdentity: () => succeeds(client.resetIdentity()),
  };
}
