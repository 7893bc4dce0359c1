import { BonevalueError } from "../../errors.ts";
import type { Peer } from "../../peer.ts";
import { discoveryVersion, type ToClient } from "../../protocol/messages.ts";
import type { Snapshot } from "../discovery.ts";
import { type FromServer, serverProtocolError } from "./from-server.ts";

/** What a sign-in brings: all that we may know, and the secret for coming back. */
export interface SignedIn {
  readonly snapshot: Snapshot;
  readonly session: string;
}

/**
 * Collects what a server says between authentication and the peer list. The returned function takes one message and
 * gives the whole once it is complete. Throws `incompatible`, and `protocol` for what may not come yet.
 */
export function collectSignIn(): (message: FromServer) => SignedIn | undefined {
  let self: ToClient["setPeerId"] | undefined;
  let users: readonly string[] | undefined;
  return ({ type, data }) => {
    if (type === "setPeerId") {
      if (data.version !== discoveryVersion) throw incompatible(data.version);
      self = data;
    } else if (type === "userList") users = data;
    else if (type === "peerList" && self && users) return signedIn(self, users, data);
    else if (type !== "iceServers") throw serverProtocolError(`"${type}" where it does not belong`);
    return undefined;
  };
}

function incompatible(version: number): BonevalueError {
  return new BonevalueError(
    "incompatible",
    `The discovery server speaks version ${version} and this page version ${discoveryVersion}. Update the older of the two.`,
  );
}

function signedIn(self: ToClient["setPeerId"], users: readonly string[], peers: readonly Peer[]): SignedIn {
  const { peerId: id, username, session } = self;
  return {
    session,
    snapshot: { self: { id, username }, users, peers: peers.map((peer) => Object.freeze(peer)) },
  };
}
