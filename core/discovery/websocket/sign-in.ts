import { BonevalueError } from "../../errors.ts";
import type { Peer } from "../../peer.ts";
import type { Snapshot } from "../discovery.ts";
import { discoveryVersion, type ToClient } from "../messages.ts";
import { breach, type FromServer } from "./from-server.ts";

/** What a sign-in brings: all that we may know, and the secret for coming back. */
export interface SignedIn {
  readonly snapshot: Snapshot;
  readonly session: string;
}

/**
 * Collects what a server says between authentication and the peer list. The returned function takes one message and
 * gives the whole once it is complete, or else an error: `incompatible`, or `protocol` for what may not come yet.
 */
export function collectSignIn(): (message: FromServer) => SignedIn | BonevalueError | undefined {
  let self: ToClient["setPeerId"] | undefined;
  let users: ToClient["userList"] | undefined;
  return (message) => {
    if (message.type === "setPeerId" && !self) {
      self = message.data;
      return self.version === discoveryVersion ? undefined : incompatible(self.version);
    }
    if (message.type === "userList" && self && !users) users = message.data;
    else if (message.type === "peerList" && self && users) return signedIn(self, users, message.data);
    else if (message.type !== "iceServers" || !users) return breach(`"${message.type}" where it does not belong`);
    return undefined;
  };
}

function incompatible(version: number): BonevalueError {
  return new BonevalueError(
    "incompatible",
    `The discovery server speaks version ${version} and this page version ${discoveryVersion}. Update the older of the two.`,
  );
}

function signedIn(self: ToClient["setPeerId"], users: ToClient["userList"], peers: readonly Peer[]): SignedIn {
  return {
    session: self.session,
    snapshot: {
      self: { id: self.peerId, username: self.username },
      resumed: self.resumed,
      users,
      peers: peers.map((peer) => Object.freeze(peer)),
    },
  };
}
