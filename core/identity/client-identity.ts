import type { Discovery, DiscoveryEvents, DiscoverySession } from "../discovery/discovery.ts";
import { BonevalueError, type ErrorCode } from "../errors.ts";
import { guard } from "../events.ts";
import { createLazyPart } from "../lazy-part.ts";
import type { Alias, Peer, PeerId } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import { createLive, type Live, set } from "../reactive.ts";
import type { Link, LinkIdentity, Transport } from "../transport/transport.ts";
import { createWeakCache } from "../weak-cache.ts";
import type { Identity } from "./identify.ts";
import type { IdentityOptions, IdentityPolicy, OwnIdentity, UserIdentity } from "./options.ts";
import type { TokenServer, UserActions } from "./user-actions.ts";

// The part of identity that every page loads. The rest is loaded while the client signs in: what discovery reports waits
// until the key is known, so that no link opens before.

/** The parts of the client that its identity uses. */
export interface ClientIdentityOptions {
  readonly identity: IdentityPolicy | IdentityOptions | undefined;
  readonly discovery: Discovery;
  readonly transport: Transport;
  self(): PeerId;
  peers(): readonly Peer[];
  peer(id: PeerId): Peer | undefined;
  isUser(alias: Alias): boolean;
  /** Dials a peer. Resolves when a link is open. */
  dial(peer: PeerId): Promise<void>;
  endLink(peer: PeerId, reason: BonevalueError): void;
  onChange(alias: Alias, identity: UserIdentity): void;
}

/** The identity of a client, and its discovery and transport with identity. */
export interface ClientIdentity {
  readonly discovery: Discovery;
  readonly transport: Transport;
  readonly own: Live<OwnIdentity | undefined>;
  of(alias: Alias): Live<UserIdentity>;
  /** Returns the identity of the peer at the other end of a link of this transport. */
  ofLink(link: Link): LinkIdentity;
  /** Returns a token server whose tokens also verify users. It asks `server` where trust is needed. */
  tokens(server: TokenServer): Promise<TokenServer>;
  /** Loads the functions with which users verify each other. Rejects with `unsupported` if nothing is signed. */
  actions(): Promise<UserActions>;
}

const unknown: UserIdentity = Object.freeze({ status: "unknown" });

/**
 * Adds identity to a discovery and a transport, unless there is no server, the transport's descriptions do not commit to the
 * keys of its links, or the policy is `"off"`. Throws `invalid-request` for `"require"` with such a transport. Without identity,
 * signing in to a room with a `secret` ends with `invalid-request`.
 */
export function createClientIdentity(client: ClientIdentityOptions): ClientIdentity {
  const { identity: given, discovery, transport } = client;
  const options: IdentityOptions = typeof given === "string" ? { policy: given } : (given ?? {});
  const { policy = "tofu" } = options;
  const isLocal = discovery.local === true;
  const isActive = policy !== "off" && !isLocal && transport.channelBinding === true;
  if (policy === "require" && !isActive && !isLocal) throw nothingSigned("invalid-request");
  const code = createLazyPart(() => import("./identify.ts"));
  // It builds on the part above, so it is loaded after that.
  const actionsCode = createLazyPart(() => import("./user-actions.ts"));
  const own = createLive<OwnIdentity | undefined>(undefined);
  const users = createWeakCache<Live<UserIdentity>>();
  const links = new WeakMap<Link, LinkIdentity>();
  const unsigned: LinkIdentity = { verified: isLocal };
  let current: Identity | undefined;
  let isUnsignedRoom = false;

  function of(alias: Alias): Live<UserIdentity> {
    return users.get(alias, (hold) => createLive(current?.users.get(alias) ?? unknown, hold));
  }

  function signedIn(): Identity {
    if (current) return current;
    throw nothingSigned("unsupported");
  }

  async function actions(): Promise<UserActions> {
    const identity = signedIn();
    await actionsCode.load();
    return actionsCode.loaded!.createUserActions(identity);
  }

  function open(...[host, credentials, events, scope]: Parameters<Discovery["open"]>): DiscoverySession {
    const room = "room" in credentials ? ("as" in credentials && credentials.as) || credentials.room : undefined;
    isUnsignedRoom = room !== undefined && !options.secret;
    if (!isActive && room === undefined) return discovery.open(host, credentials, events, scope);
    if (isUnsignedRoom && policy !== "require") return discovery.open(host, credentials, events, scope);
    let identity: Identity | undefined;
    let session: DiscoverySession | undefined;
    let isOver = false;
    let last = load().catch(fail);

    async function load(): Promise<void> {
      if (isUnsignedRoom) throw noSecret();
      // The secret could not protect the room.
      if (!isActive) throw nothingSigned("invalid-request");
      await code.load();
      identity = await code.loaded!.identify({
        ...client,
        ...scope,
        options: { ...options, policy },
        server: discovery.urlOf?.(host) ?? host,
        credentials,
        room,
        onOwn: (value) => set(own, value),
        onUser(alias, value, isNews) {
          set(of(alias), value);
          if (isNews) client.onChange(alias, value);
        },
      });
      if (!isOver && room !== undefined) session = start({ ...credentials, room: identity.room! });
    }

    function enqueue(step: () => void | Promise<void>): void {
      last = last.then(() => (isOver ? undefined : step())).catch(fail);
    }

    function fail(error: BonevalueError): void {
      if (isOver) return;
      // This stops the identity, too.
      void session?.close();
      events.ended(error);
    }

    /** The server has chosen the room, so that no secret protects it. Only an app's token can ask for that. */
    function leaveUnsigned(): void {
      if (current || !("token" in credentials))
        throw new BonevalueError("protocol", "The discovery server has put an account into a room.");
      if (policy === "require") throw noSecret();
      isUnsignedRoom = true;
    }

    function stop(): void {
      isOver = true;
      identity?.stop();
      if (!identity || current !== identity) return;
      current = undefined;
      set(own, undefined);
      for (const alias of identity.users.keys()) set(of(alias), unknown);
    }

    function start(known: typeof credentials): DiscoverySession {
      const queued = Object.fromEntries(
        Object.entries(events).map(([name, run]: [string, (...args: readonly never[]) => void]) => [
          name,
          (...args: readonly never[]) => enqueue(() => guard(() => run(...args))),
        ]),
      ) as unknown as DiscoveryEvents;
      const onPeers = () => enqueue(() => current?.onPeers());
      const opened = discovery.open(
        host,
        known,
        {
          ...queued,
          online(snapshot) {
            enqueue(async () => {
              if (room === undefined && snapshot.self.room !== undefined) return leaveUnsigned();
              await identity!.start(snapshot.self.username);
              if (!isOver) current = identity;
            });
            queued.online(room === undefined ? snapshot : { ...snapshot, self: { ...snapshot.self, room } });
            onPeers();
          },
          peerConnect(peer) {
            queued.peerConnect(peer);
            onPeers();
          },
          ended(reason) {
            queued.ended(reason);
            enqueue(stop);
          },
        },
        scope,
      );
      const close = opened.close.bind(opened);
      return Object.assign(opened, {
        close(...args: Parameters<typeof close>) {
          stop();
          return close(...args);
        },
      });
    }

    if (room === undefined) {
      session = start(credentials);
      return session;
    }
    // The name of the room is derived first, so that the server does not learn the app's.
    return {
      signal: (...args) => session?.signal(...args),
      get openRelay() {
        return session?.openRelay;
      },
      check: () => session?.check?.(),
      setProfile: (profile) => session?.setProfile?.(profile) ?? false,
      invite: noAccount,
      requestToken: noAccount,
      claimToken: noAccount,
      removeUser: noAccount,
      changePassword: noAccount,
      async close(end) {
        stop();
        await session?.close(end);
      },
    };
  }

  return {
    discovery: isActive || (options.secret && !isLocal) ? { open } : discovery,
    transport: isActive
      ? {
          open(...args) {
            if (isUnsignedRoom) return transport.open(...args);
            const { link, identity } = signedIn().links.open(...args);
            links.set(link, identity);
            return link;
          },
        }
      : transport,
    own,
    of,
    ofLink: (link) => links.get(link) ?? unsigned,
    async tokens(server) {
      if (isLocal) return server;
      if (isActive) return (await actions()).tokens(server);
      return {
        requestToken(alias) {
          if (alias === us) throw nothingSigned("identity-mismatch");
          return server.requestToken(alias);
        },
        claimToken(alias, token) {
          if (token.includes(".")) throw nothingSigned("identity-mismatch");
          return server.claimToken(alias, token);
        },
        removeUser: (alias) => server.removeUser(alias),
      };
    },
    actions,
  };
}

function nothingSigned(code: ErrorCode): BonevalueError {
  return new BonevalueError(
    code,
    'Nothing can be signed here. Sign in, with a `transport` such as webrtc(), and without identity: "off".',
  );
}

function noSecret(): BonevalueError {
  const message = "In a room nobody is verified without `identity.secret`. Pass one, and the name of the room.";
  return new BonevalueError("identity-mismatch", message);
}

function noAccount(): Promise<never> {
  return Promise.reject(
    new BonevalueError("unsupported", "A room has neither users nor trust. Sign in with an account."),
  );
}
