import type {
  Alias,
  LinkState,
  OwnIdentity,
  Peer,
  PeerId,
  Query,
  Self,
  Status,
  UserIdentity,
} from "../../core/index.ts";
import { useLive } from "./live.ts";
import { useClient } from "./provider.ts";

const noItems: readonly never[] = Object.freeze([]);
const idleLink: LinkState = Object.freeze({ status: "idle" });
const unknownIdentity: UserIdentity = Object.freeze({ status: "unknown" });

/** The state of the connection to the discovery server. */
export function useStatus(): Status {
  return useLive(useClient().status, "offline");
}

/** This peer, while the client is signed in. */
export function useSelf(): Self | undefined {
  return useLive(useClient().self, undefined);
}

/** The trusted users, by the aliases that this user gave them. */
export function useUsers(): readonly Alias[] {
  return useLive(useClient().users, noItems);
}

/**
 * The peers that `query` matches (default: all). Returns the same list until one connects, disconnects or changes its
 * profile.
 */
export function usePeers(...[query = "*"]: [] | [query: Query]): readonly Peer[] {
  return useLive(useClient().get(query).peers, noItems);
}

/** The peer with this id, while it is online. */
export function usePeer(id: PeerId): Peer | undefined {
  return usePeers({ peer: id })[0];
}

/** The link to the peer with this id. Changes of other links do not render the component. */
export function useLink(id: PeerId): LinkState {
  return useLive(useClient().link(id), idleLink);
}

/** The keys and devices of this account. `undefined` while signed out, and with the identity policy `"off"`. */
export function useIdentity(): OwnIdentity | undefined {
  return useLive(useClient().identity, undefined);
}

/** The identity of a user: its status, such as `"verified"`, and the safety number to compare. `"Us"` describes the account's other devices. */
export function useIdentityOf(alias: Alias): UserIdentity {
  return useLive(useClient().identityOf(alias), unknownIdentity);
}
