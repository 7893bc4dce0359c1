import { invalidNumber, isNonNegativeNumber, isText, requireLabel } from "./check-arguments.ts";
import type { Client, ClientOptions } from "./client.ts";
import type { Clock } from "./clock.ts";
import { checkedCredentials } from "./discovery/credentials.ts";
import type { Credentials, DiscoverySession } from "./discovery/discovery.ts";
import { websocket } from "./discovery/websocket.ts";
import { BonevalueError } from "./errors.ts";
import { createEmitter, guard } from "./events.ts";
import { type ClientIdentity, createClientIdentity } from "./identity/client-identity.ts";
import type { LazyPart } from "./lazy-part.ts";
import { limitsOf } from "./limits.ts";
import { createPool } from "./links/pool.ts";
import { missingInDiscovery } from "./missing-feature.ts";
import { type Alias, noProfile, type PeerId } from "./peer.ts";
import { freezeQuery, keyOf, matches, resolveTargets } from "./peers/query.ts";
import { createRegistry } from "./peers/registry.ts";
import { createPresence } from "./presence/presence.ts";
import { createOwnProfile, createProfileReader } from "./profiles.ts";
import { us } from "./protocol/alias.ts";
import { maxAppLength } from "./protocol/labels.ts";
import { createClientRemember } from "./remember/client-remember.ts";
import { call } from "./rpc/call.ts";
import type { CallContext } from "./rpc/call-peer.ts";
import { createDeadlines } from "./rpc/deadlines.ts";
import { moduleOf } from "./rpc/module.ts";
import { createModules, type Offer } from "./rpc/modules.ts";
import { createNotify } from "./rpc/notify.ts";
import type { Rpc } from "./rpc/rpc.ts";
import { createTarget, type Target } from "./rpc/target.ts";
import { createThrottle } from "./rpc/throttle.ts";
import { createSession, type Events, notConnected } from "./session.ts";
import { webrtc } from "./transport/webrtc.ts";
import { createWeakCache } from "./weak-cache.ts";

/** The lazily loaded code of open links. */
export type Connections = LazyPart<typeof import("./open-connection.ts")>;

// How long a link stays open after a reply if it is not kept alive.
const shortIdleMs = 1_000;

/** Creates all parts of a client, and connects them. Throws `invalid-request` for invalid options. */
export function assembleClient(clock: Clock, connections: Connections, options: ClientOptions): Client {
  const { keepAlive = true, idleTimeout = 30_000, maxLinks = 128, moduleGrace = 2_000 } = options;
  const { app: appName = "", transport = webrtc(), profile = noProfile } = options;
  for (const [name, value] of Object.entries({ idleTimeout, maxLinks, moduleGrace })) {
    if (!isNonNegativeNumber(value)) throw invalidNumber(name);
  }
  if (maxLinks < 1) throw invalidNumber("maxLinks", "number of at least 1");
  const app = requireLabel("an app", appName, 0, maxAppLength);
  const limits = limitsOf(options.limits);
  // The peer, and readers of an answer's streams, need some time even if `idleTimeout` is short.
  const peerIdleMs = Math.max(shortIdleMs, idleTimeout);
  const discovery = options.discovery ?? websocket();
  const emitter = createEmitter<Events>();
  const registry = createRegistry();
  const modules = createModules(clock, moduleGrace);
  const deadlines = createDeadlines(clock);
  const cachedTargets = createWeakCache<Target>();

  const ownProfile = createOwnProfile(profile, clock, (changed) => session.sendProfile(changed));
  const invalidProfiles = createThrottle<BonevalueError>(deadlines, (_, error) => emitError(error));
  const profiles = createProfileReader(options.profileSchema, ({ id, name }, { code, message, data, cause }) => {
    const text = `Ignored the profile of "${name}": ${message}`;
    invalidProfiles.add(id, new BonevalueError(code, text, { data, cause }));
  });

  const identity: ClientIdentity = createClientIdentity({
    identity: options.identity,
    discovery,
    transport,
    self: ownId,
    peers: registry.all,
    peer: registry.byId,
    isUser: registry.hasUser,
    dial: (peer) => new Promise((begin, fail) => pool.whenOpen(peer, { begin: () => begin(), fail })),
    endLink: (peer, reason) => pool.drop(peer, reason),
    onChange: (alias, state) => emitter.emit("identitychange", alias, state),
  });

  const pool = createPool<Rpc>({
    transport: identity.transport,
    clock,
    connectionPart: connections,
    maxLinks,
    idleTimeout: peerIdleMs,
    self: ownId,
    send: (...signal) => session.signal(...signal),
    iceServers: () => session.iceServers(),
    openRelay: () => session.openRelay(),
    isKnown: (peer) => registry.byId(peer) !== undefined,
    identify: identity.ofLink,
    connect(link) {
      let peer = registry.byId(link.peer) ?? { id: link.peer, name: "", profile: noProfile };
      const newest = () => {
        peer = registry.byId(link.peer) ?? peer;
        return peer;
      };
      return connections.loaded!.openConnection(link, ownId(), presence, {
        peer: newest,
        modules,
        deadlines,
        limits,
        idleTimeout: peerIdleMs,
        now: clock.now,
        isAllowed: (allow) => session.serves(newest(), allow),
        failed: emitError,
      });
    },
    onInterrupted: () => session.check(),
    onClosed: (peer) => session.onLinkClosed(peer),
  });

  const session = createSession({
    discovery: identity.discovery,
    app,
    keeperFor: (...signIn) => remember.keeperFor(...signIn),
    registry,
    ownProfile,
    profiles,
    pool: {
      ...pool,
      close(reason) {
        pool.close(reason);
        deadlines.clearSpareTimer();
      },
    },
    clock,
    emit: emitter.emit,
  });

  const presence = createPresence({
    clock,
    deadlines,
    limits,
    maxLinks,
    pool,
    self: ownId,
    keepOpenMs,
    isAllowed: (allow, id) => registry.byId(id) !== undefined && matches(allow, id, registry),
    failed: emitError,
  });

  const callContext: CallContext = {
    pool,
    deadlines,
    limits,
    now: clock.now,
    keepOpenMs,
    refusal({ id, name }) {
      if (isSignedOut()) return notConnected();
      if (name === "") return unknownPeer(id);
      return undefined;
    },
    noPeersError: () =>
      isSignedOut() ? notConnected() : new BonevalueError("no-peers", "The query matches no peer that is online now."),
  };
  const notify = createNotify(callContext, emitError);

  emitter.on("connect", modules.onSignIn);

  const remember = createClientRemember({
    remember: options.remember,
    app,
    session,
    discovery,
    clock,
    onResume: loadConnections,
    failed: emitError,
  });

  /** Beside the sign-in, so that it delays no dial. If it fails, the first dial tries again. */
  function loadConnections(): void {
    connections.load().catch(() => {});
  }

  function ownId(): PeerId {
    return session.self.peek()?.id ?? "";
  }

  function keepOpenMs(wanted: boolean | undefined = keepAlive): number {
    return wanted ? idleTimeout : shortIdleMs;
  }

  function isSignedOut(): boolean {
    const status = session.status.peek();
    return status === "offline" || status === "connecting";
  }

  function emitError(error: BonevalueError): void {
    if (emitter.hasListener("error")) emitter.emit("error", error);
    else console.error(error);
  }

  async function requestToken(alias: Alias) {
    return (await identity.tokens(serverFor(alias), alias === us)).requestToken(alias.normalize());
  }

  /** Returns the session for a request with these strings. The server would close the session on another type. */
  function serverFor(...strings: readonly string[]): DiscoverySession {
    if (!strings.every(isText))
      throw new BonevalueError("invalid-request", "Pass aliases, addresses, tokens and passwords as strings.");
    if (session.self.peek()?.room !== undefined)
      throw new BonevalueError("unsupported", "A room has neither users nor trust. Sign in with an account.");
    return session.server();
  }

  return {
    connect(host: string, who: string | Credentials, password?: string) {
      let credentials: Credentials;
      try {
        credentials = checkedCredentials(typeof who === "string" ? { username: who, password: password ?? "" } : who);
      } catch (error) {
        return Promise.reject(error);
      }
      loadConnections();
      return session.connect(host, credentials);
    },
    disconnect: remember.disconnect,
    resume: remember.resume,
    signOut: remember.signOut,
    devices: async () => requireDevices(session.server().devices)(),
    forgetDevice: async (id) => requireDevices(serverFor(id).forgetDevice)(id),
    on: emitter.on,
    getId: () => session.self.peek()?.id,
    get(given) {
      // Only normalized strings are keys. To normalize one takes longer than to find it.
      const known = typeof given === "string" && cachedTargets.find(keyOf(given));
      if (known) return known;
      const query = freezeQuery(given);
      return cachedTargets.get(keyOf(query), () => {
        const peers = registry.watch(query);
        return createTarget({
          query,
          peers,
          targets: () => resolveTargets(query, registry),
          call: (...args) => call(callContext, ...args),
          notify,
          presence: (definition) => presence.engineOf(definition).watch(definition, query, peers),
          failed: emitError,
        });
      });
    },
    module(module, handler, options) {
      const { allow = "*", verified } = options ?? {};
      return modules.add({
        module: moduleOf(module),
        handler: handler as Offer["handler"],
        allow: freezeQuery(allow),
        verified,
        bare: typeof module === "string",
      });
    },
    presence: (definition, initial, options) => presence.engineOf(definition).offer(definition, initial, options ?? {}),
    setProfile: ownProfile.set,
    invite: async (email, names) => serverFor(email, names?.alias ?? "", names?.as ?? "").invite(email, names),
    requestToken(alias, callback) {
      const token = requestToken(alias);
      if (callback) token.then((data) => guard(() => callback(data)), emitError);
      return token;
    },
    claimToken: async (alias, token) =>
      (await identity.tokens(serverFor(alias, token), token.includes("."))).claimToken(alias.normalize(), token),
    removeUser: async (alias) => (await identity.tokens(serverFor(alias))).removeUser(alias.normalize()),
    changePassword: async (current, password) => serverFor(current, password).changePassword(current, password),
    identity: identity.own,
    identityOf: (alias) => identity.of(alias.normalize()),
    acceptIdentity: async (alias, account) => (await identity.actions()).acceptIdentity(alias.normalize(), account),
    removeDevice: async (device) => (await identity.actions()).removeDevice(device),
    resetIdentity: async () => (await identity.actions()).resetIdentity(),
    status: session.status,
    self: session.self,
    users: registry.users,
    peers: registry.watch("*"),
    link: pool.state,
    async diagnose() {
      const { diagnose } = await import("./diagnose.ts");
      return diagnose({ transport, session, secureContext: globalThis.isSecureContext });
    },
  };
}

function requireDevices<Method>(method: Method | undefined): Method {
  if (method) return method;
  throw missingInDiscovery("devices");
}

function unknownPeer(id: PeerId): BonevalueError {
  const message = `"${id}" is neither a trusted user nor an online peer. Check \`users\` and \`peers\`.`;
  return new BonevalueError("unknown-peer", message);
}
