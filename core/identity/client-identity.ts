import type { Discovery, DiscoveryEvents, DiscoverySession } from "../discovery/discovery.ts";
import { BonevalueError, type ErrorCode } from "../errors.ts";
import { createLazyPart } from "../lazy-part.ts";
import type { Alias, Peer, PeerId } from "../peer.ts";
import { createLive, type Live, set } from "../reactive.ts";
import type { Link, LinkIdentity, Transport } from "../transport/transport.ts";
import { createWeakCache } from "../weak-cache.ts";
import type { Identity } from "./identify.ts";
import type { IdentityOptions, IdentityPolicy, OwnIdentity, UserIdentity } from "./options.ts";
import type { TokenServer, UserActions } from "./user-actions.ts";

// The part of identity that every page loads. The rest is loaded while the client signs in. What discovery reports waits
// for it in a queue, and each event waits there for the one before, so that no link opens until the key is known.

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
  /**
   * Returns a token server whose tokens also verify users. It asks `server` where trust is needed. Rejects with
   * `identity-mismatch` if nothing is signed, and the token `verifies` more than trust.
   */
  tokens(server: TokenServer, verifies?: boolean): Promise<TokenServer>;
  /** Loads the functions with which users verify each other. Rejects with `unsupported` if nothing is signed. */
  actions(): Promise<UserActions>;
}

const unknown: UserIdentity = Object.freeze({ status: "unknown" });

/** The identity of the client's last sign-in. */
export interface CurrentIdentity {
  /** Undefined until its key is known, and after the sign-in. */
  identity: Identity | undefined;
  /** Nothing is signed: the client is in a room that no secret protects. */
  isUnsigned: boolean;
}

/**
 * Adds identity to a discovery and a transport, unless there is no server, the transport's descriptions do not commit to the
 * keys of its links, or the policy is `"off"`. Throws `invalid-request` for `"require"` with such a transport, and for a policy that
 * there is not. Without identity, signing in to a room with a `secret` ends with `invalid-request`.
 */
export function createClientIdentity(client: ClientIdentityOptions): ClientIdentity {
  const { identity: given, discovery, transport } = client;
  const options: IdentityOptions = typeof given === "object" ? (given ?? {}) : { policy: given };
  const { policy = "tofu", secret } = options;
  // A misspelled "require" must not accept peers that are not verified.
  if (!["off", "tofu", "require"].includes(policy))
    throw new BonevalueError("invalid-request", '`identity` must be "off", "tofu" or "require".');
  const isLocal = discovery.local === true;
  const isActive = policy !== "off" && !isLocal && transport.channelBinding === true;
  if (policy === "require" && !isActive && !isLocal) throw nothingSigned("invalid-request");
  const code = createLazyPart(() => import("./identify.ts"));
  // It builds on the part above, so it is loaded after that.
  const actionsCode = createLazyPart(() => import("./user-actions.ts"));
  const own = createLive<OwnIdentity | undefined>(undefined);
  const users = createWeakCache<Live<UserIdentity>>();
  const current: CurrentIdentity = { identity: undefined, isUnsigned: false };

  const stateOf = (alias: Alias) => current.identity?.users.get(alias) ?? unknown;
  const of = (alias: Alias) => users.get(alias, (hold) => createLive(stateOf(alias), hold));

  function signedIn(): Identity {
    if (current.identity) return current.identity;
    throw nothingSigned("unsupported");
  }

  async function actions(): Promise<UserActions> {
    const identity = signedIn();
    await actionsCode.load();
    return actionsCode.loaded!.createUserActions(identity);
  }

  function open(...signIn: Parameters<Discovery["open"]>): DiscoverySession {
    const [host, credentials, events, scope] = signIn;
    const isRoom = "room" in credentials;
    current.isUnsigned = isRoom ? !secret : !isActive;
    if (current.isUnsigned && policy !== "require") return discovery.open(...signIn);
    let identity: Identity | undefined;
    let session: DiscoverySession | undefined;
    let leave: DiscoverySession["close"] | undefined;
    let isOver = false;
    let last = load().catch(fail);

    async function load(): Promise<void> {
      // The secret could not protect the room.
      if (!isActive) throw nothingSigned("invalid-request");
      await code.load();
      identity = await code.loaded!.identify({
        ...{ ...client, ...scope, options, policy, host, credentials, events, current },
        onOwn: (value) => set(own, value),
        onUser: (alias) => set(of(alias), stateOf(alias)),
      });
      // The server does not learn the app's name of the room.
      if (isRoom && !isOver) start(identity.credentials);
    }

    function fail(error: BonevalueError): void {
      if (isOver) return;
      void close();
      events.ended(error);
    }

    function start(known: typeof credentials): DiscoverySession {
      const enqueue =
        (name: string) =>
        (...args: unknown[]) => {
          last = last.then(() => (isOver ? undefined : identity!.receive(...([name, ...args] as never)))).catch(fail);
        };
      const queued = Object.fromEntries(Object.keys(events).map((name) => [name, enqueue(name)]));
      session = discovery.open(host, known, queued as unknown as DiscoveryEvents, scope);
      leave = session.close.bind(session);
      return session;
    }

    function close(end?: boolean): Promise<void> {
      isOver = true;
      identity?.stop();
      return leave?.(end) ?? Promise.resolve();
    }

    if (!isRoom) return Object.assign(start(credentials), { close });
    // Nothing else is used before the client is in the room, and a room has no requests.
    return {
      signal: (...args) => session?.signal(...args),
      get openRelay() {
        return session?.openRelay;
      },
      check: () => session?.check?.(),
      setProfile: (profile) => session?.setProfile?.(profile) ?? false,
      close,
    } as DiscoverySession;
  }

  return {
    discovery: isActive || (secret && !isLocal) ? { open } : discovery,
    transport: isActive
      ? { open: (...args) => (current.isUnsigned ? transport : signedIn()).open(...args) }
      : transport,
    own,
    of,
    ofLink: (link) => current.identity?.ofLink(link) ?? { verified: isLocal },
    async tokens(server, verifies) {
      if (isActive) return (await actions()).tokens(server);
      if (verifies && !isLocal) throw nothingSigned("identity-mismatch");
      return server;
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
