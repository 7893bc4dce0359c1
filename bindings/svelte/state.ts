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
import { getClient } from "./client.ts";
import { type Current, follow, getValue, type MaybeGetter, toCurrent } from "./current.ts";

/** The state of the connection to the discovery server. */
export function useStatus(): Current<Status> {
  const { status } = getClient();
  return follow(() => status);
}

/** This peer, while the client is signed in. */
export function useSelf(): Current<Self | undefined> {
  const { self } = getClient();
  return follow(() => self);
}

/** The trusted users, by the aliases that this user gave them. */
export function useUsers(): Current<readonly Alias[]> {
  const { users } = getClient();
  return follow(() => users);
}

/**
 * The peers that `query` matches (default: all). Returns the same list until one connects, disconnects or changes its
 * profile. Pass a function if the query changes.
 */
export function usePeers(...[query = "*"]: [] | [query: MaybeGetter<Query>]): Current<readonly Peer[]> {
  const client = getClient();
  return follow(() => client.get(getValue(query)).peers);
}

/** The peer with this id, while it is online. Pass a function if the id changes. */
export function usePeer(id: MaybeGetter<PeerId>): Current<Peer | undefined> {
  const peers = usePeers(() => ({ peer: getValue(id) }));
  return toCurrent(() => peers.current[0]);
}

/** The link to the peer with this id. Changes of other links do not rerun effects. Pass a function if the id changes. */
export function useLink(id: MaybeGetter<PeerId>): Current<LinkState> {
  const client = getClient();
  return follow(() => client.link(getValue(id)));
}

/** The keys and devices of this account. `undefined` while signed out, and with the identity policy `"off"`. */
export function useIdentity(): Current<OwnIdentity | undefined> {
  const { identity } = getClient();
  return follow(() => identity);
}

/**
 * The identity of a user: its status, such as `"verified"`, and the safety number to compare. `"Us"` describes the account's other
 * devices. Pass a function if the alias changes.
 */
export function useIdentityOf(alias: MaybeGetter<Alias>): Current<UserIdentity> {
  const client = getClient();
  return follow(() => client.identityOf(getValue(alias)));
}
