import type { Alias, LinkState, Peer, PeerId, Query, Self, Status } from "../../core/index.ts";
import { useLive } from "./live.ts";
import { useClient } from "./provider.ts";

const nobody: readonly never[] = Object.freeze([]);
const idle: LinkState = Object.freeze({ status: "idle" });

/** Where the client stands with its discovery server. */
export function useStatus(): Status {
  return useLive(useClient().status, "offline");
}

/** Who we are, while we are signed in. */
export function useSelf(): Self | undefined {
  return useLive(useClient().self, undefined);
}

/** The users whom we trust, by the names that we gave them. */
export function useUsers(): readonly Alias[] {
  return useLive(useClient().users, nobody);
}

/** The peers that `query` names now, all where none is written; the same list until one comes or goes. */
export function usePeers(...[query = "*"]: [] | [query: Query]): readonly Peer[] {
  return useLive(useClient().get(query).peers, nobody);
}

/** That peer, while it is online. */
export function usePeer(id: PeerId): Peer | undefined {
  return usePeers({ peer: id })[0];
}

/** The direct connection to that peer: only its own changes render. */
export function useLink(id: PeerId): LinkState {
  return useLive(useClient().link(id), idle);
}
