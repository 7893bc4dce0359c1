import type { Alias, LinkState, Peer, PeerId, Query, Self, Status } from "../../core/index.ts";
import { useLive } from "./live.ts";
import { useClient } from "./provider.ts";

const noItems: readonly never[] = Object.freeze([]);
const idleLink: LinkState = Object.freeze({ status: "idle" });

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
