import { invalidNumber, isCredentials, isNonNegativeNumber, isText } from "./check-arguments.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Diagnosis } from "./diagnose.ts";
import type { Credentials, Discovery, DiscoverySession } from "./discovery/discovery.ts";
import { websocket } from "./discovery/websocket.ts";
import { BonevalueError } from "./errors.ts";
import { createEmitter, guard } from "./events.ts";
import { type Limits, limitsOf, maxAssemblyBytes } from "./limits.ts";
import type { LinkState } from "./links/link-states.ts";
import { createPool } from "./links/pool.ts";
import type { Alias, Peer, PeerId } from "./peer.ts";
import { freezeQuery, keyOf, matches, type Query, resolveTargets } from "./peers/query.ts";
import { createRegistry } from "./peers/registry.ts";
import type { Live } from "./reactive.ts";
import { call } from "./rpc/call.ts";
import type { CallContext } from "./rpc/call-peer.ts";
import { createDeadlines } from "./rpc/deadlines.ts";
import { type Handler, type Module, moduleOf } from "./rpc/module.ts";
import { createModules, type Offer } from "./rpc/modules.ts";
import { createNotify } from "./rpc/notify.ts";
import { createRpc, type Rpc } from "./rpc/rpc.ts";
import { createTarget, type Target } from "./rpc/target.ts";
import { createSession, type Events, type Self, type Status } from "./session.ts";
import type { Transport } from "./transport/transport.ts";
import { webrtc } from "./transport/webrtc.ts";
import { createWeakCache } from "./weak-cache.ts";
import { defaultWindow } from "./wire/credit.ts";
import { maxMessageSize } from "./wire/frames.ts";

/** What a client is made of, where the defaults do not serve. Times in ms. */
export interface ClientOptions {
  /** How peers are found. Default: a WebSocket to the discovery server. */
  discovery?: Discovery | undefined;
  /** How peers are reached. Default: WebRTC data channels. */
  transport?: Transport | undefined;
  /**
   * How many links this side dials at once; as many again are accepted. Beyond it the least recently used idle link is
   * closed, and calls wait for a free link until their own deadline. A call that shares a generator with other peers
   * gets `busy` instead of waiting. Default 64.
   */
  maxLinks?: number | undefined;
  /**
   * Whether links stay open after a reply, and for how long they may then be unused. Default true, 30 000; `Infinity`
   * holds, 0 closes at once.
   */
  keepAlive?: boolean | undefined;
  idleTimeout?: number | undefined;
  /** Budgets against a hostile or broken peer. Every one has a default. */
  limits?: Partial<Limits> | undefined;
}

/** Opens nothing until `connect`: safe to make on a server. Modules and targets outlive every disconnection. */
export interface Client {
  /**
   * `host` may be a host name, with or without a port (wss, or ws on a loopback name), or a ws(s)/http(s) URL. Resolves
   * once the peer list is known. The first attempt fails fast; a later loss is retried until `disconnect` or a close that
   * says to stay away. Again with the same arguments: the same promise; with others: they take over, and the earlier
   * promise ends with `cancelled`.
   */
  connect(host: string, username: string, password: string): Promise<void>;
  connect(host: string, credentials: Credentials): Promise<void>;
  /** Closes every link and leaves; in-flight calls end with `cancelled`. */
  disconnect(): Promise<void>;

  /** Listens to an event; returns the undo. */
  on<E extends keyof Events>(event: E, listener: Events[E]): () => void;
  /** Our own peer id, while we are signed in. */
  getId(): PeerId | undefined;
  /** Whom to call: see {@link Target}. */
  get(query: Query): Target;

  /**
   * Offers a module to the peers in `allow`, `"*"` by default; others get `forbidden`. Returns the undo. A taken name
   * throws `module-taken`.
   */
  module<M extends Module | string>(
    module: M,
    handler: Handler<M>,
    options?: { allow?: Query | undefined },
  ): () => void;

  /** Asks the server to invite a new user. Answers alike whether or not the address has an account. */
  invite(email: string): Promise<void>;
  /** A one-use token to hand to the person whom `alias` will name. */
  requestToken(
    alias: Alias,
    callback?: (data: { token: string }) => void,
  ): Promise<{ readonly token: string; readonly expires: Date }>;
  /** Trust, both ways, with the user who made the token, from now on called `alias` here. */
  claimToken(alias: Alias, token: string): Promise<void>;
  /** Ends the trust on both sides and closes the links at once. */
  removeUser(alias: Alias): Promise<void>;
  /**
   * Every other session of the account ends. Where the answer is lost, rejects with `disconnected`; we come back all the
   * same, but as another peer if the password has been changed.
   */
  changePassword(current: string, password: string): Promise<void>;

  readonly status: Live<Status>;
  readonly self: Live<Self | undefined>;
  readonly users: Live<readonly Alias[]>;
  readonly peers: Live<readonly Peer[]>;
  /** Link state, one value for each peer. */
  link(peer: PeerId): Live<LinkState>;
  /** Finds out what this page can do, in 5 s at most, and prints as text: `console.log(String(await client.diagnose()))`. */
  diagnose(): Promise<Diagnosis>;
}

// How long a link stays open after a reply, in ms, where it is not to be kept.
const shortIdleMs = 1_000;

/**
 * A client; nothing is opened before `connect`. Throws `invalid-request` for numbers that are none.
 *
 * @example
 * const client = createClient();
 * client.module("Echo", ({ request }) => request);
 * await client.connect("p2p.example.com", "ann", password);
 * for await (const reply of client.get("*").call("Echo", "Hello")) console.log(reply.peer.name, reply.value);
 */
export function createClient(options?: ClientOptions): Client {
  return createClientOn(systemClock, options ?? {});
}

/** As {@link createClient}, on a clock of the caller's: for tests on virtual time. */
export function createClientOn(clock: Clock, options: ClientOptions): Client {
  const { keepAlive = true, idleTimeout = 30_000, maxLinks = 64 } = options;
  for (const [name, value] of Object.entries({ idleTimeout, maxLinks })) {
    if (!isNonNegativeNumber(value)) throw invalidNumber(name);
  }
  const limits = limitsOf(options.limits);
  // For the other side, and for who reads an answer's stream: neither can be as quick as a short idle time asks.
  const patience = Math.max(shortIdleMs, idleTimeout);
  const transport = options.transport ?? webrtc();
  const emitter = createEmitter<Events>();
  const registry = createRegistry();
  const modules = createModules();
  const deadlines = createDeadlines(clock);
  const cachedTargets = createWeakCache<Target>();

  const pool = createPool<Rpc>({
    transport,
    clock,
    limits,
    maxLinks,
    idleTimeout: patience,
    self: ownId,
    hello: () => ({
      peer: ownId(),
      message: maxMessageSize,
      value: limits.messageSize,
      calls: limits.requestsPerPeer,
      streams: limits.streamsPerPeer,
      window: defaultWindow,
      assembly: maxAssemblyBytes(limits),
    }),
    signal: (...signal) => session.signal(...signal),
    iceServers: () => session.iceServers(),
    isKnown: (peer) => registry.byId(peer) !== undefined,
    serve: (connection) =>
      createRpc(connection, {
        peer: registry.byId(connection.peer) ?? { id: connection.peer, name: "" },
        modules,
        deadlines,
        limits,
        idleTimeout: patience,
        now: clock.now,
        isAllowed: (allow, peer) => matches(allow, peer, registry),
        failed: reportFailure,
      }),
    onInterrupted: () => session.check(),
    onClosed: (peer) => session.onLinkClosed(peer),
  });

  const session = createSession({
    discovery: options.discovery ?? websocket(),
    registry,
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

  const callContext: CallContext = {
    pool,
    deadlines,
    limits,
    now: clock.now,
    keepOpenMs: (wanted = keepAlive) => (wanted ? idleTimeout : shortIdleMs),
    refusal({ id, name }) {
      if (isSignedOut()) return notConnected();
      if (name === "") return unknownPeer(id);
      return undefined;
    },
    noPeersError: () =>
      isSignedOut() ? notConnected() : new BonevalueError("no-peers", "The query names nobody who is online now."),
  };
  const notify = createNotify(callContext, reportFailure);

  function ownId(): PeerId {
    return session.self.peek()?.id ?? "";
  }

  function isSignedOut(): boolean {
    const status = session.status.peek();
    return status === "offline" || status === "connecting";
  }

  function reportFailure(error: BonevalueError): void {
    if (emitter.hasListener("error")) emitter.emit("error", error);
    else console.error(error);
  }

  async function requestToken(alias: Alias) {
    return sessionFor(alias).requestToken(alias);
  }

  /** What to ask of the server about these. It would close on anything else than text. */
  function sessionFor(...texts: readonly string[]): DiscoverySession {
    if (texts.every(isText)) return session.server();
    throw new BonevalueError("invalid-request", "Give names and secrets as text.");
  }

  return {
    connect(host: string, who: string | Credentials, password?: string) {
      const credentials = typeof who === "string" ? { username: who, password: password ?? "" } : who;
      if (isCredentials(credentials)) return session.connect(host, credentials);
      return Promise.reject(new BonevalueError("unauthenticated", "Say who: connect(host, username, password)."));
    },
    disconnect: session.disconnect,
    on: emitter.on,
    getId: () => session.self.peek()?.id,
    get(asked) {
      const query = freezeQuery(asked);
      return cachedTargets.get(keyOf(query), () =>
        createTarget({
          query,
          peers: registry.watch(query),
          targets: () => resolveTargets(query, registry),
          call: (...args) => call(callContext, ...args),
          notify,
          failed: reportFailure,
        }),
      );
    },
    module(module, handler, options) {
      const { allow = "*" } = options ?? {};
      return modules.add({
        module: moduleOf(module),
        handler: handler as Offer["handler"],
        allow: freezeQuery(allow),
        bare: typeof module === "string",
      });
    },
    invite: async (email) => sessionFor(email).invite(email),
    requestToken(alias, callback) {
      const made = requestToken(alias);
      if (callback) made.then((data) => guard(() => callback(data)), reportFailure);
      return made;
    },
    claimToken: async (alias, token) => sessionFor(alias, token).claimToken(alias, token),
    removeUser: async (alias) => sessionFor(alias).removeUser(alias),
    changePassword: async (current, password) => sessionFor(current, password).changePassword(current, password),
    status: session.status,
    self: session.self,
    users: registry.users,
    peers: registry.watch("*"),
    link: pool.state,
    async diagnose() {
      const { diagnose } = await import("./diagnose.ts");
      const [status, iceServers] = [session.status.peek(), session.iceServers()];
      return diagnose({ transport, iceServers, status, secureContext: globalThis.isSecureContext });
    },
  };
}

function notConnected(): BonevalueError {
  return new BonevalueError("not-connected", "Not signed in to a discovery server: call connect() and wait for it.");
}

function unknownPeer(id: PeerId): BonevalueError {
  const message = `"${id}" is neither a user whom you trust nor a peer that is online: look at \`users\` and \`peers\`.`;
  return new BonevalueError("unknown-peer", message);
}
