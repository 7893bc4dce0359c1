import { computed, type MaybeRefOrGetter, type Ref, toValue } from "vue";
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
import { useClient } from "./client.ts";
import { useLive } from "./live.ts";

const noItems: readonly never[] = Object.freeze([]);
const idleLink: LinkState = Object.freeze({ status: "idle" });
const unknownIdentity: UserIdentity = Object.freeze({ status: "unknown" });

/** The state of the connection to the discovery server. */
export function useStatus(): Readonly<Ref<Status>> {
  const { status } = useClient();
  return useLive(() => status, "offline");
}

/** This peer, while the client is signed in. */
export function useSelf(): Readonly<Ref<Self | undefined>> {
  const { self } = useClient();
  return useLive(() => self, undefined);
}

/** The trusted users, by the aliases that this user gave them. */
export function useUsers(): Readonly<Ref<readonly Alias[]>> {
  const { users } = useClient();
  return useLive(() => users, noItems);
}

/**
 * The peers that `query` matches (default: all). Returns the same list until one connects, disconnects or changes its
 * profile.
 */
export function usePeers(...[query = "*"]: [] | [query: MaybeRefOrGetter<Query>]): Readonly<Ref<readonly Peer[]>> {
  const client = useClient();
  return useLive(() => client.get(toValue(query)).peers, noItems);
}

/** The peer with this id, while it is online. */
export function usePeer(id: MaybeRefOrGetter<PeerId>): Readonly<Ref<Peer | undefined>> {
  const peers = usePeers(() => ({ peer: toValue(id) }));
  return computed(() => peers.value[0]);
}

/** The link to the peer with this id. Changes of other links do not render the component. */
export function useLink(id: MaybeRefOrGetter<PeerId>): Readonly<Ref<LinkState>> {
  const client = useClient();
  return useLive(() => client.link(toValue(id)), idleLink);
}

/** The keys and devices of this account. `undefined` while signed out, and with the identity policy `"off"`. */
export function useIdentity(): Readonly<Ref<OwnIdentity | undefined>> {
  const { identity } = useClient();
  return useLive(() => identity, undefined);
}

/** The identity of a user: its status, such as `"verified"`, and the safety number to compare. `"Us"` describes the account's other devices. */
export function useIdentityOf(alias: MaybeRefOrGetter<Alias>): Readonly<Ref<UserIdentity>> {
  const client = useClient();
  return useLive(() => client.identityOf(toValue(alias)), unknownIdentity);
}
