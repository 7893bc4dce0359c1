import type { Alias, LinkState, Peer, PeerId, Query, Self, Status } from "../../core/index.ts";
import { getClient } from "./client.ts";
import { type Current, currentOf, follow, given, type MaybeGetter } from "./current.ts";

/** Where the client stands with its discovery server. */
export function useStatus(): Current<Status> {
  const { status } = getClient();
  return follow(() => status);
}

/** Who we are, while we are signed in. */
export function useSelf(): Current<Self | undefined> {
  const { self } = getClient();
  return follow(() => self);
}

/** The users whom we trust, by the names that we gave them. */
export function useUsers(): Current<readonly Alias[]> {
  const { users } = getClient();
  return follow(() => users);
}

/**
 * The peers that `query` names now, all where none is written; the same list until one comes or goes. A query that changes
 * is given as a function.
 */
export function usePeers(...[query = "*"]: [] | [query: MaybeGetter<Query>]): Current<readonly Peer[]> {
  const client = getClient();
  return follow(() => client.get(given(query)).peers);
}

/** That peer, while it is online. An id that changes is given as a function. */
export function usePeer(id: MaybeGetter<PeerId>): Current<Peer | undefined> {
  const peers = usePeers(() => ({ peer: given(id) }));
  return currentOf(() => peers.current[0]);
}

/** The direct connection to that peer: only its own changes render. An id that changes is given as a function. */
export function useLink(id: MaybeGetter<PeerId>): Current<LinkState> {
  const client = getClient();
  return follow(() => client.link(given(id)));
}
