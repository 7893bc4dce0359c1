import type { BonevalueError } from "../errors.ts";
import type { Alias, PeerId, PeerInfo, Profile } from "../peer.ts";
import type { SignalKind } from "../protocol/messages.ts";
import type { OpenRelay } from "../relay-access.ts";

/** How a user authenticates. */
export type Credentials =
  | {
      /** The name of the account. */
      username: string;
      /** The password of the account. It is sent to the discovery server, so use wss. */
      password: string;
    }
  /**
   * For a server that uses the app's own accounts. A function is called at every sign-in and reconnect and has 30 s. If it
   * fails, a first sign-in rejects with `unauthenticated`; a reconnect calls it again later.
   */
  | {
      /** A token of the app, or a function that fetches one. */
      token: string | (() => string | Promise<string>);
    }
  /** Accepts an invitation: its user chooses a password, or gives the password of the existing account. */
  | {
      /** The token of the invitation, from its link. */
      invite: string;
      /** The new password, or the password of the account that the address has. */
      password: string;
    }
  /**
   * Without an account: meets everybody in the room of this name, of 1 to 128 code points. Anybody who knows the name may
   * enter, if the server allows it. `name` is what others see, of 1 to 64 code points; it is neither unique nor verified. Default
   * `"Guest"`.
   */
  | {
      /** The name of the room. */
      room: string;
      /** What others see as the name of this peer. */
      name?: string | undefined;
    };

/** The data about a page that its sign-in carries. */
export interface OpenOptions {
  /** Pages of one app see and reach only each other. */
  readonly app: string;
  /** Returns what the client says about itself now. Called for each sign-in and reconnect. */
  readonly profile?: (() => Profile) | undefined;
  /** Keeps the secrets of the session, so that a later page may continue it. */
  readonly keeper?: Promise<SecretKeeper | undefined> | undefined;
}

/** The credentials with which a later page continues a session, or starts a new one on a remembered device. */
export type StoredCredentials = (
  | {
      /** The secret of the session. */
      readonly session: string;
    }
  | {
      /** The secret of the session. */
      readonly session: string;
      /** The last token of the app. */
      readonly token: string;
    }
  | {
      /** The secret of the session. */
      readonly session: string;
      /** The name of the room. */
      readonly room: string;
      /** What others see as the name of this peer. */
      readonly name?: string | undefined;
    }
  | {
      /** The secret of the device. */
      readonly device: string;
    }
) & {
  /** The user name, or the name of the room, that the app has passed. It selects the key of the identity. */
  readonly as?: string | undefined;
};

/** Keeps the secrets of a session where a later page finds them. */
export interface SecretKeeper {
  /** Whether the server is asked to remember this device. */
  readonly device: boolean;
  /** Resolves to whether this page may use the session. False while another page with a copy of its secret uses it. */
  claim(session: string): Promise<boolean>;
  /** Keeps the credentials for the next page, and the secret of a device that the server has remembered. */
  keep(credentials: StoredCredentials, device?: string): void;
  /** Another page may use the session from now on. */
  release(): void;
}

/** A device on which the account stays signed in. */
export interface Device {
  /** The id that `forgetDevice` takes. */
  readonly id: string;
  /** When the device first signed in with `remember: "device"`. */
  readonly created: Date;
  /** When the device last signed in or reconnected. */
  readonly lastUsed: Date;
  /** This client uses it. */
  readonly current: boolean;
}

/** A token with which another user establishes trust, or a device joins an account. */
export interface TrustToken {
  /** The text to pass on. It works once. */
  readonly token: string;
  /** When it stops working. */
  readonly expires: Date;
}

/** The names under which an inviter and the invited person trust each other. */
export interface InvitationNames {
  /** The inviter's alias for the invited person. */
  alias: Alias;
  /** The invited person's alias for the inviter. Default: the inviter's user name. */
  as?: Alias | undefined;
}

/** Finds peers, and relays the signals with which they open links. */
export interface Discovery {
  /** There is no server between the peers: nothing is signed, and every peer counts as verified. */
  readonly local?: boolean | undefined;
  /** The URL of a server, the same for all ways to write its address. It names the keys of this server's users. */
  urlOf?(host: string): string;
  /**
   * Starts a session. Its results are emitted after `open` has returned: `online`, or `ended` when the first attempt
   * fails. The caller closes the session. The names of a room, a guest and an app are valid and in NFC.
   */
  open(
    host: string,
    credentials: Credentials | StoredCredentials,
    events: DiscoveryEvents,
    options: OpenOptions,
  ): DiscoverySession;
}

/** The complete state at a sign-in or reconnect. It replaces the state before. */
export interface Snapshot {
  /** In a room, `username` is the name that others see. */
  readonly self: {
    /** The id of this peer. */
    readonly id: PeerId;
    /** The user name of the account, or the name of the guest. */
    readonly username: string;
    /** The name of the room, if this client is in one. */
    readonly room?: string | undefined;
  };
  /** Empty in a room. */
  readonly users: readonly Alias[];
  /** The online peers of trusted users, and this account's other logins under `"Us"`. In a room, its other peers. */
  readonly peers: readonly PeerInfo[];
}

/** The events of a session, one call for each, in order. */
export interface DiscoveryEvents {
  /** Signed in or reconnected. Comes without `interrupted` when the session has moved to a new socket seamlessly. */
  online(snapshot: Snapshot): void;
  /** The server is out of reach. The session reconnects by itself. */
  interrupted(reason: BonevalueError): void;
  /** The session has ended; no event follows. Not emitted for `close`. */
  ended(reason: BonevalueError): void;
  /** A peer has come online. */
  peerConnect(peer: PeerInfo): void;
  /** A peer has another profile, which is not validated. */
  peerUpdate(id: PeerId, profile: unknown): void;
  /** `lost`: the peer left without `bye`. It may still be reachable by an open link. */
  peerDisconnect(id: PeerId, lost: boolean): void;
  /** Trust with a user has begun. */
  userAdd(alias: Alias): void;
  /** Trust with a user has ended. */
  userRemove(alias: Alias): void;
  /** The servers for new links and ICE restarts. They replace the last ones. */
  iceServers(servers: readonly RTCIceServer[]): void;
  /** A relayed signal. The server guarantees `from`; the content of `signal` is opaque to discovery. */
  signal(kind: SignalKind, from: PeerId, signal: unknown): void;
  /** A signal could not be delivered: `to` is not an online, trusted peer. */
  unreachable(to: PeerId): void;
  /** The page may have slept: the state of its links may be out of date. */
  woke(): void;
}

/**
 * A session with all of its reconnects. Requests reject with `not-connected` while the server is out of reach, with
 * `disconnected` when the connection is lost before the answer, and with `unsupported` if there is no server.
 */
export interface DiscoverySession {
  /** Relays a signal. Drops it while the server is out of reach, because signals are repeated. */
  signal(kind: SignalKind, to: PeerId, signal: unknown): void;
  /** Undefined while there is no server that relays links. */
  readonly openRelay?: OpenRelay | undefined;
  /** A link has a problem that may be this machine's network: checks soon whether the server still answers. */
  check?(): void;
  /** Changes the client's profile. Drops it while the server is out of reach. Returns `false` if there are no profiles. */
  setProfile?(profile: Profile): boolean;
  /** Asks the server to invite a person. Resolves in the same way whether or not the address has an account. */
  invite(email: string, names?: InvitationNames): Promise<void>;
  /** Creates a one-use token for the user who gets the name `alias`. */
  requestToken(alias: Alias): Promise<TrustToken>;
  /** Establishes trust with the user who made the token, under the name `alias`. */
  claimToken(alias: Alias, token: string): Promise<void>;
  /** Ends trust with a user, on both sides. */
  removeUser(alias: Alias): Promise<void>;
  /** Changes the password, and ends every other session of the account. */
  changePassword(current: string, password: string): Promise<void>;
  /** Lists the devices on which the account stays signed in. */
  devices?(): Promise<readonly Device[]>;
  /** Ends every session of a device, and forgets it. */
  forgetDevice?(id: string): Promise<void>;
  /**
   * Leaves. Resolves once the server has been told. A second call returns the same promise. `end` also ends a session that
   * a later page could continue, and forgets the device that it began with.
   */
  close(end?: boolean): Promise<void>;
}
