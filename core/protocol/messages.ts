import * as v from "valibot";
import { boundedCount } from "../bounded-schemas.ts";

// docs/protocol.md, "Discovery". Each side validates what it receives; unknown fields pass and are dropped.

/** The version of the protocol, which the first frame of each side carries. */
export const discoveryVersion = 1;

/** The types of the two frames that carry a signal: from the peer that dials, and from the peer that is dialed. */
export const signalKinds = ["peerRequest", "peerResponse"] as const;

/** Which side of a dial sent a signal. */
export type SignalKind = (typeof signalKinds)[number];

/** The frame of every message, as JSON text. A request that expects an answer has an `id`. */
export interface Envelope {
  readonly type: string;
  readonly data?: unknown;
  readonly id?: number | undefined;
  /** With `peerDisconnect`: the peer left without `bye`, and the grace period has passed. */
  readonly lost?: boolean | undefined;
}

/**
 * How a socket authenticates. `session` is the secret of an earlier sign-in. With `fork` it starts another session of the
 * same account. `device` is the secret of a device that the server remembers.
 */
export type Claim =
  | { readonly username: string; readonly password: string }
  | { readonly token: string; readonly session?: string | undefined }
  | { readonly room: string; readonly name?: string | undefined; readonly session?: string | undefined }
  | { readonly session: string; readonly fork?: boolean | undefined }
  | { readonly device: string };

/** The fields that every first frame has beside its credentials. A client without `app` belongs to the app `""`. */
interface FirstFrame {
  readonly version: number;
  readonly app?: string | undefined;
  /** The page may be reloaded: a close of its socket without `bye` is no departure yet. */
  readonly stay?: boolean | undefined;
  /** Asks for the secret of a new device. */
  readonly remember?: boolean | undefined;
  /** What the client says about itself. A client that sends one understands `peerUpdates`. */
  readonly profile?: unknown;
}

interface Relay {
  readonly to: string;
  readonly signal?: unknown;
}

interface Relayed {
  readonly from: string;
  readonly signal?: unknown;
}

/** The URL and the ticket of one relay socket. */
interface RelayTicket {
  /** The URL of the relay socket, perhaps relative to the URL of the server's socket as a folder. */
  readonly url: string;
  /** The first message on the relay socket. */
  readonly ticket: string;
}

interface WirePeer {
  readonly name: string;
  readonly id: string;
  /** Without one, it is `{}`. */
  readonly profile?: unknown;
}

/** A device that the server remembers. */
interface WireDevice {
  readonly id: string;
  readonly created: string;
  readonly used: string;
  /** The session of this socket began with it. */
  readonly current: boolean;
}

/** Data that is ignored. */
type Nothing = unknown;

/** The messages of a client: the data of each type. */
export interface ToServer {
  readonly authenticate: FirstFrame & Claim;
  readonly acceptInvite: FirstFrame & { readonly invite: string; readonly password: string };
  readonly peerRequest: Relay;
  readonly peerResponse: Relay;
  readonly openRelay: { readonly to: string };
  readonly setProfile: { readonly profile?: unknown };
  /** With `alias`, the sender and the invited person trust each other once it is accepted: as `alias`, and as `as`. */
  readonly inviteUser: {
    readonly email: string;
    readonly alias?: string | undefined;
    readonly as?: string | undefined;
  };
  readonly requestToken: { readonly name: string };
  readonly claimToken: { readonly name: string; readonly token: string };
  readonly removeUser: { readonly name: string };
  readonly changePassword: { readonly current: string; readonly password: string };
  readonly listDevices: Nothing;
  readonly forgetDevice: { readonly id: string };
  readonly ping: Nothing;
  readonly pong: Nothing;
  readonly bye: { readonly back?: boolean | undefined };
}

/** The messages of a server: the data of each type. Times are ISO 8601, durations are ms. */
export interface ToClient {
  readonly setPeerId: {
    readonly version: number;
    readonly peerId: string;
    readonly username: string;
    readonly session: string;
    readonly resumed: boolean;
    /** The extensions that the server understands. A client sends the frames of an extension only to such a server. */
    readonly features?: readonly string[] | undefined;
    /** The app that the client asked for. Without this echo, the server does not separate apps. */
    readonly app?: string | undefined;
    /** The room of this peer. `username` is then its display name. */
    readonly room?: string | undefined;
    /** The secret of the device that the server remembers from now on. */
    readonly device?: string | undefined;
  };
  readonly userList: readonly string[];
  readonly iceServers: { readonly servers: readonly IceServer[]; readonly expires?: string | undefined };
  readonly peerList: readonly WirePeer[];
  readonly userAdd: string;
  readonly userRemove: string;
  readonly peerConnect: WirePeer;
  readonly peerDisconnect: string;
  readonly peerUpdates: readonly (readonly [id: string, profile: unknown])[];
  readonly peerRequest: Relayed;
  readonly peerResponse: Relayed;
  readonly relayResponse: RelayTicket;
  readonly relayOffer: RelayTicket & { readonly from: string };
  /** `alias` as in the request. A server that does not know it answers without. */
  readonly inviteResponse: { readonly alias?: string | undefined };
  readonly tokenResponse: { readonly token: string; readonly expires: string };
  readonly claimResponse: { readonly name: string };
  readonly removeResponse: { readonly name: string };
  readonly passwordResponse: { readonly session: string };
  readonly deviceList: { readonly devices: readonly WireDevice[] };
  readonly forgetResponse: Nothing;
  readonly ping: Nothing;
  readonly pong: Nothing;
  readonly reconnect: { readonly after: number };
  readonly error: { readonly code: string; readonly message: string; readonly after?: number | undefined };
}

/** An RTCIceServer in JSON. */
export interface IceServer {
  readonly urls: string | string[];
  readonly username?: string | undefined;
  readonly credential?: string | undefined;
}

/** A schema for the data of each type. */
export type Schemas<Messages> = { readonly [Type in keyof Messages]: v.GenericSchema<unknown, Messages[Type]> };

/** The frame around every message, both ways. */
export const envelope: v.GenericSchema<unknown, Envelope> = v.object({
  type: v.string(),
  data: v.optional(v.unknown()),
  id: v.optional(boundedCount(1)),
  lost: v.optional(v.boolean()),
});
