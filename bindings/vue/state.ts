import { computed, type MaybeRefOrGetter, type Ref, toValue } from "vue";
import type { Alias, LinkState, Peer, PeerId, Query, Self, Status } from "../../core/index.ts";
import { useClient } from "./client.ts";
import { useLive } from "./live.ts";

const nobody: readonly never[] = Object.freeze([]);
const idle: LinkState = Object.freeze({ status: "idle" });

/** Where the client stands with its discovery server. */
export function useStatus(): Readonly<Ref<Status>> {
  const { status } = useClient();
  return useLive(() => status, "offline");
}

/** Who we are, while we are signed in. */
export function useSelf(): Readonly<Ref<Self | undefined>> {
  const { self } = useClient();
  return useLive(() => self, undefined);
}

/** The users whom we trust, by the names that we gave them. */
export function useUsers(): Readonly<Ref<readonly Alias[]>> {
  const { users } = useClient();
  return useLive(() => users, nobody);
}

/** The peers that `query` names now, all where none is written; the same list until one comes or goes. */
export function usePeers(...[query = "*"]: [] | [query: MaybeRefOrGetter<Query>]): Readonly<Ref<readonly Peer[]>> {
  const client = useClient();
  return useLive(() => client.get(toValue(query)).peers, nobody);
}

/** That peer, while it is online. */
export function usePeer(id: MaybeRefOrGetter<PeerId>): Readonly<Ref<Peer | undefined>> {
  const peers = usePeers(() => ({ peer: toValue(id) }));
  return computed(() => peers.value[0]);
}

/** The direct connection to that peer: only its own changes render. */
export function useLink(id: MaybeRefOrGetter<PeerId>): Readonly<Ref<LinkState>> {
  const client = useClient();
  return useLive(() => client.link(toValue(id)), idle);
}
