import { safeParse } from "valibot";
import { BonevalueError } from "../../errors.ts";
import type { PeerInfo } from "../../peer.ts";
import { discoveryVersion, envelope, type ToClient } from "../../protocol/messages.ts";
import { toClient } from "../../protocol/to-client.ts";
import type { DiscoveryEvents, Snapshot } from "../discovery.ts";
import type { FirstFrame } from "./authenticator.ts";

/** A validated message of the server. */
export type FromServer = {
  readonly [Type in keyof ToClient]: {
    readonly type: Type;
    readonly data: ToClient[Type];
    readonly id: number | undefined;
    readonly lost: boolean;
  };
}[keyof ToClient];

/** The result of a sign-in. */
export interface SignedIn {
  readonly snapshot: Snapshot;
  /** The secret that authenticates this session on its next socket. */
  readonly session: string;
  /** The secret of a device that the server remembers from now on. */
  readonly device: string | undefined;
  /** The extensions that the server understands. */
  readonly features: readonly string[];
}

/** The events that a server sends on its own after the sign-in. */
export interface ServerEvents
  extends Pick<
    DiscoveryEvents,
    "peerConnect" | "peerDisconnect" | "peerUpdate" | "userAdd" | "userRemove" | "iceServers" | "signal"
  > {
  /** A peer has asked for a relayed link to this client. */
  relayOffer(offer: ToClient["relayOffer"]): void;
  /** The server asks for a new socket after this many ms. */
  reconnect(afterMs: number): void;
}

/** Parses one frame. Returns undefined for an unknown type; throws `protocol` for a malformed frame. */
export function readFrame(frame: unknown): FromServer | undefined {
  const outer = safeParse(envelope, parseJson(frame));
  if (!outer.success) throw serverProtocolError("a malformed frame");
  const { type, data, id, lost = false } = outer.output;
  if (!Object.hasOwn(toClient, type)) return undefined;
  const inner = safeParse(toClient[type as keyof ToClient], data);
  if (!inner.success) throw serverProtocolError(`a malformed "${type}"`);
  return { type, data: inner.output, id, lost } as FromServer;
}

/**
 * Collects the messages between authentication and the peer list. Call the returned function with each message; it
 * returns the result with the last one. Throws `incompatible` for another protocol version and for a server that ignores
 * the app or the room of the first frame, and `protocol` for a message that may not come yet.
 */
export function collectSignIn(asked: FirstFrame["data"]): (message: FromServer) => SignedIn | undefined {
  let self: ToClient["setPeerId"] | undefined;
  let users: readonly string[] | undefined;
  return ({ type, data }) => {
    if (type === "setPeerId") {
      if (data.version !== discoveryVersion) throw incompatible(data.version);
      requireEcho("app", asked.app, data.app);
      requireEcho("room", "room" in asked ? asked.room : undefined, data.room);
      self = data;
    } else if (type === "userList") users = data;
    else if (type === "peerList" && self && users) return signedIn(self, users, data);
    else if (type !== "iceServers") throw serverProtocolError(`"${type}" during the sign-in`);
    return undefined;
  };
}

/** Calls the event of `message`. Throws `protocol` for a message that belongs to the sign-in. */
export function dispatch({ type, data, lost }: FromServer, events: ServerEvents): void {
  if (type === "peerConnect") events.peerConnect(Object.freeze(data));
  else if (type === "peerDisconnect") events.peerDisconnect(data, lost);
  else if (type === "peerUpdates") for (const [id, profile] of data) events.peerUpdate(id, profile);
  else if (type === "userAdd") events.userAdd(data);
  else if (type === "userRemove") events.userRemove(data);
  else if (type === "peerRequest" || type === "peerResponse") events.signal(type, data.from, data.signal);
  // The platform's type does not allow `undefined`; absent properties stay absent here.
  else if (type === "iceServers") events.iceServers(data.servers as readonly RTCIceServer[]);
  else if (type === "relayOffer") events.relayOffer(data);
  else if (type === "reconnect") events.reconnect(data.after);
  else if (type === "setPeerId" || type === "userList" || type === "peerList")
    throw serverProtocolError(`a second "${type}"`);
}

/** The error for a server that broke the protocol by sending `what`. */
export function serverProtocolError(what: string): BonevalueError {
  return new BonevalueError(
    "protocol",
    `The discovery server sent ${what}. Check that it is a bonevalue server, and update the older of the two.`,
  );
}

function signedIn(self: ToClient["setPeerId"], users: readonly string[], peers: readonly PeerInfo[]): SignedIn {
  const { peerId: id, username, session, room, device, features = [] } = self;
  const snapshotSelf = room === undefined ? { id, username } : { id, username, room };
  const snapshot = { self: snapshotSelf, users, peers: peers.map((peer) => Object.freeze(peer)) };
  return { snapshot, session, device, features };
}

/** A server that ignores the app or the room would let this page meet the pages of all others. */
function requireEcho(field: string, asked: string | undefined, echo: string | undefined): void {
  if (asked !== undefined && asked !== echo) throw unknownField(field);
}

/** The error for a server that does not know a field of the first frame. */
export function unknownField(field: string): BonevalueError {
  return new BonevalueError("incompatible", `The discovery server does not support "${field}". Update the server.`);
}

function incompatible(version: number): BonevalueError {
  return new BonevalueError(
    "incompatible",
    `The discovery server has protocol version ${version}, this page ${discoveryVersion}. Update the older of the two.`,
  );
}

function parseJson(frame: unknown): unknown {
  if (typeof frame !== "string") return undefined;
  try {
    return JSON.parse(frame);
  } catch {
    return undefined;
  }
}
