import type { StandardSchemaV1 } from "@standard-schema/spec";
import { assembleClient, type Connections } from "./assemble-client.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Diagnosis } from "./diagnose.ts";
import type { Credentials, Device, Discovery, InvitationNames, TrustToken } from "./discovery/discovery.ts";
import type { IdentityOptions, IdentityPolicy, OwnIdentity, UserIdentity } from "./identity/options.ts";
import { createLazyPart } from "./lazy-part.ts";
import type { Limits } from "./limits.ts";
import type { LinkState } from "./links/link-states.ts";
import type { Alias, Peer, PeerId, Profile } from "./peer.ts";
import type { Query } from "./peers/query.ts";
import type { OwnPresence, PresenceDefinition, PresenceInput, PresenceOfferOptions } from "./presence/definition.ts";
import type { Live } from "./reactive.ts";
import type { Handler, Module } from "./rpc/module.ts";
import type { Target } from "./rpc/target.ts";
import type { Events, Self, Status } from "./session.ts";
import type { Transport } from "./transport/transport.ts";

/** The options of {@link createClient}. Times in ms. */
export interface ClientOptions {
  /**
   * The name of the app, of at most 64 code points: pages of one app see and reach only each other. Several apps can share a
   * server with its accounts and their trust. It separates apps that trust each other; it is not a security boundary. Default
   * `""`.
   */
  app?: string | undefined;
  /** How the client finds peers. Default: a WebSocket to the discovery server. */
  discovery?: Discovery | undefined;
  /** How the client connects to peers. Default: WebRTC data channels. */
  transport?: Transport | undefined;
  /**
   * How the client proves who it is, and whom it accepts. Default `"tofu"` over WebRTC. Nothing is signed in
   * `bonevalue/testing`, between tabs (`broadcastChannel()`), and with a transport without `channelBinding`.
   */
  identity?: IdentityPolicy | IdentityOptions | undefined;
  /**
   * How many links are open at once, dialed and accepted together. Beyond it the least recently used idle link is closed,
   * and calls wait for a free link until their own deadline. A call that sends one generator to several peers gets `busy`
   * instead of waiting. At least 1. Default 128.
   */
  maxLinks?: number | undefined;
  /** Whether links stay open after a reply. Default true. */
  keepAlive?: boolean | undefined;
  /** How long an unused link stays open. `Infinity` keeps it open, 0 closes it at once. Default 30 000. */
  idleTimeout?: number | undefined;
  /**
   * How long calls and messages from peers wait for a module that this client does not offer yet, counted from its sign-in.
   * After a module was withdrawn they wait half as long. Default 2 000.
   */
  moduleGrace?: number | undefined;
  /** What this client says about itself: a JSON object of at most 1 KiB. The discovery server can read it. Default `{}`. */
  profile?: Profile | undefined;
  /**
   * Validates the profiles of others. Without it they can be anything. An invalid profile reads as `{}` and emits an `error`
   * event.
   */
  profileSchema?: StandardSchemaV1<unknown, Profile> | undefined;
  /**
   * Stays signed in, see {@link Client.resume}. `"tab"`: a reloaded or restored tab comes back as the same peer, and other
   * peers do not see it leave. `"device"`: new tabs and restarted browsers sign in, too, as new peers. The secrets are in the
   * page's storage under `key`, by default the name of the app; give each of several clients a key. Default: nothing is stored.
   */
  remember?:
    | "tab"
    | "device"
    | {
        /** What is remembered: the session of this tab, or also the device. */
        in: "tab" | "device";
        /** The name under which the secrets are stored. Default: the name of the app. */
        key?: string | undefined;
      }
    | undefined;
  /** Limits against hostile or broken peers. Each has a default. */
  limits?: Partial<Limits> | undefined;
}

/** A client. It opens nothing before `connect`. Its modules and targets outlive every disconnection. */
export interface Client {
  /**
   * Signs in. `host` is a host name with or without a port (wss, or ws for a loopback name), a ws(s)/http(s) URL, or a path on
   * the origin of this page, such as `/p2p`.
   * Resolves once the peer list is known. The first attempt fails fast; after a later loss the client reconnects until
   * `disconnect`, or until the server ends the session. A second call with the same arguments returns the same promise.
   * With other arguments it replaces the first, whose promise rejects with `cancelled`.
   */
  connect(host: string, username: string, password: string): Promise<void>;
  /** Signs in with a token, an invitation or the name of a room: see {@link Credentials}. */
  connect(host: string, credentials: Credentials): Promise<void>;
  /** Leaves and closes every link. Pending calls end with `cancelled`. With `remember`, `resume` signs in again. */
  disconnect(): Promise<void>;
  /**
   * Signs in without credentials, with what `remember` has stored. Resolves to false if nothing is stored, or if it is no
   * longer valid. Rejects with `unreachable` if the server does not answer; the stored secret remains. Concurrent calls share
   * one attempt; if a sign-in has started already, they wait for it.
   */
  resume(): Promise<boolean>;
  /**
   * Ends the session, and forgets what `remember` has stored, here and at the server, which takes effect in all tabs of a
   * remembered device. Rejects with `unreachable` if the server could not be told.
   */
  signOut(): Promise<void>;
  /** Lists the devices on which the account stays signed in. */
  devices(): Promise<readonly Device[]>;
  /** Ends every session of a device within a second, and forgets it. */
  forgetDevice(id: string): Promise<void>;

  /** Adds a listener to an event. Returns its undo. */
  on<E extends keyof Events>(event: E, listener: Events[E]): () => void;
  /** This client's peer id while it is signed in. */
  getId(): PeerId | undefined;
  /** Returns the {@link Target} of a query, on which modules are called. */
  get(query: Query): Target;

  /**
   * Offers a module to the peers in `allow`, by default `"*"`. Other peers get `forbidden`, and with `verified` also those
   * that are not verified, under any policy. Returns the undo. Throws `module-taken` if the name is offered already.
   */
  module<M extends Module | string>(
    module: M,
    handler: Handler<M>,
    options?: { allow?: Query | undefined; verified?: boolean | undefined },
  ): () => void;

  /**
   * Offers a value to the peers that subscribe to it with `get(query).presence(definition)`. Throws `module-taken` if the
   * name is offered already, and throws like `set` of its result.
   */
  presence<D extends PresenceDefinition>(
    definition: D,
    initial: PresenceInput<D>,
    options?: PresenceOfferOptions,
  ): OwnPresence<PresenceInput<D>>;

  /**
   * Changes what this client says about itself. Others see the newest, at most 5 times a second. Resolves once it was sent,
   * or at once while the client is not online. Rejects with `too-large` beyond 1 KiB of JSON, with `invalid-request` for
   * anything but a JSON object, and with `unsupported` if the server has no profiles.
   */
  setProfile(profile: Profile): Promise<void>;

  /**
   * Asks the server to invite a person. The answer does not reveal whether the address has an account. With `names`, both
   * trust each other once the invitation is accepted, which a person with an account can do, too.
   */
  invite(email: string, names?: InvitationNames): Promise<void>;
  /**
   * Creates a one-use token for the person who gets the name `alias`. With identity it also verifies both users: pass it on
   * by a channel that the server does not control. For a user who is already in `users`, and where the app decides who trusts
   * whom, it only verifies. For `"Us"`, creates a linking code for one other device, valid for 10 minutes; this rejects with
   * `identity-mismatch` with policy `"off"`, and with `unsupported` where the account has a `secret`.
   */
  requestToken(alias: Alias, callback?: (data: { token: string }) => void): Promise<TrustToken>;
  /**
   * Starts mutual trust with the user who made the token, under the name `alias`. With identity the maker is also verified at
   * the first connection, which is tried at once; with policy `"off"` such a token is rejected with `identity-mismatch`. For
   * `"Us"`: this device joins the account of the device that made the code; if only that one is new, it joins this one.
   * Resolves then, and rejects with `timeout` after 15 s if that device is not online, with `identity-mismatch` if another
   * device has used the code, and with `cancelled` if this page signs out.
   */
  claimToken(alias: Alias, token: string): Promise<void>;
  /** Ends the trust on both sides and closes the links at once. */
  removeUser(alias: Alias): Promise<void>;
  /**
   * Changes the password and ends every other session of the account. If the answer is lost, rejects with
   * `disconnected`. The client reconnects in any case; if the password has changed, it gets a new peer id.
   */
  changePassword(current: string, password: string): Promise<void>;

  /** The keys and devices of this account. `undefined` while signed out, and with policy `"off"`. */
  readonly identity: Live<OwnIdentity | undefined>;
  /** The identity of a user, as known here. `"Us"` describes this account's other devices. */
  identityOf(alias: Alias): Live<UserIdentity>;
  /**
   * Marks `account` as this user's, after the users have compared the safety number. Pass the account that was shown beside
   * the number: rejects with `identity-mismatch` if the user has shown another one since, or if it is already another user's.
   */
  acceptIdentity(alias: Alias, account: string): Promise<void>;
  /**
   * Excludes a device, and all devices that it has approved, for good. Online devices and users are told at once, others when
   * they next meet a device of this account. Rejects with `unsupported` for this device, the account's first device and the
   * devices that approved this one, and with `too-large` after 32 removed devices.
   */
  removeDevice(device: string): Promise<void>;
  /** Deletes this browser's key and all it knows of other users, and starts as a new account. Every user must verify it again. */
  resetIdentity(): Promise<void>;

  /** Whether the client is signed in: `offline`, `connecting`, `online`, or `reconnecting` while the server is out of reach. */
  readonly status: Live<Status>;
  /** This client: its peer id, user name and room. `undefined` while it is signed out. */
  readonly self: Live<Self | undefined>;
  /** The aliases of the users whom this user trusts, online or not. Empty in a room. */
  readonly users: Live<readonly Alias[]>;
  /** The peers that are online and may be called: those of trusted users, and other pages of this account as `"Us"`. */
  readonly peers: Live<readonly Peer[]>;
  /** The link state of a peer. */
  link(peer: PeerId): Live<LinkState>;
  /** Tests what this page can do, in 5 s at most. Prints as text: `console.log(String(await client.diagnose()))`. */
  diagnose(): Promise<Diagnosis>;
}

/**
 * Creates a client. It opens nothing before `connect`. Throws `invalid-request` for invalid options.
 *
 * @example
 * const client = createClient();
 * client.module("Echo", ({ request }) => request);
 * await client.connect("p2p.example.com", "ann", password);
 * for await (const reply of client.get("*").call("Echo", "Hello")) console.log(reply.peer.name, reply.value);
 */
export function createClient(options?: ClientOptions): Client {
  const connections = createLazyPart(() => import("./open-connection.ts"));
  return createClientWith(systemClock, connections, options ?? {});
}

/** Creates a client with `create`, and observes what it sends and receives. */
export type Inspect = (options: ClientOptions, create: (options: ClientOptions) => Client) => Client;

/** As {@link createClient}, with parts that tests replace. */
export function createClientWith(clock: Clock, connections: Connections, options: ClientOptions): Client {
  const create = (given: ClientOptions) => assembleClient(clock, connections, given);
  // Set by `bonevalue/devtools`.
  const inspect = (globalThis as Record<symbol, unknown>)[Symbol.for("bonevalue.devtools")] as Inspect | undefined;
  return inspect?.(options, create) ?? create(options);
}
