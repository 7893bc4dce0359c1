import { once } from "node:events";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createAccounts, type Invited } from "./accounts.ts";
import { addressList, isLoopback } from "./address.ts";
import { type Clock, every, systemClock } from "./clock.ts";
import type { Cluster } from "./cluster/cluster.ts";
import { openCluster } from "./cluster/open.ts";
import { createDoor } from "./door.ts";
import { createGuard } from "./guard.ts";
import type { IceOption } from "./ice.ts";
import { invitationLink } from "./invitation.ts";
import { defaultLimits, type ServerLimits } from "./limits.ts";
import { defaultLog, type Log } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { mayConnect } from "./origin.ts";
import { createPages } from "./pages.ts";
import { createPasswords } from "./passwords.ts";
import { createPresence } from "./presence.ts";
import { createRequests } from "./requests.ts";
import { createSeen } from "./seen.ts";
import { type Authenticate, createSignIn } from "./sign-in.ts";
import { isShared, openStore } from "./store/open.ts";
import type { Store, Trusted } from "./store/store.ts";
import { createTokens, storedTrust, toldTrust } from "./trust.ts";

export type { Invited } from "./accounts.ts";
export type { Clock } from "./clock.ts";
export type { BusMessage, Cluster, ClusterNode, Login, NodeEvents, Online } from "./cluster/cluster.ts";
export type { IceOption } from "./ice.ts";
export type { ServerLimits } from "./limits.ts";
export type { Log } from "./log.ts";
export type { Authenticate } from "./sign-in.ts";
export type { Account, Invitation, Session, Store, Token, Trusted, Trusting } from "./store/store.ts";

/** What {@link createServer} takes. Everything has a default. */
export interface ServerOptions {
  /** Where to listen: default 127.0.0.1:8000; port 0 takes a free one. Or ride on an http server of the app's own. */
  host?: string | undefined;
  port?: number | undefined;
  server?: HttpServer | undefined;
  /** Where the WebSocket is on that server. Default "/". */
  path?: string | undefined;
  /** Where browsers find this server, when a proxy stands before it; invitations lead there. Default: where it listens. */
  publicUrl?: string | undefined;
  /** `":memory:"`, a SQLite file's path (default `bonevalue.db`), a `postgres://` URL, or a store of the app's own. */
  store?: string | Store | undefined;
  /** None: this process is alone. A `redis://` URL, or a cluster of the app's own. */
  cluster?: string | Cluster | undefined;
  /** Page origins that may connect. Default: the server's own, and loopback names. No Origin: no page, and may connect. */
  origins?: readonly string[] | undefined;
  /** For an app with accounts of its own: the user behind a token, or undefined. Replaces passwords; unknown users are made. */
  authenticate?: Authenticate | undefined;
  /**
   * For an app with relationships of its own: whom `username` may reach, and under which alias; two talk when each names
   * the other. Replaces tokens. Remembered until `refresh`.
   */
  trusted?: ((username: string) => Promise<readonly Trusted[]>) | undefined;
  /** Delivers an invitation. Default: the link goes to the log at level info. */
  mail?: ((to: string, invitation: Invited) => Promise<void>) | undefined;
  /** Handed to clients: STUN and TURN servers; with `secret`, credentials are minted (coturn's REST scheme) and renewed. */
  ice?: readonly IceOption[] | undefined;
  /** Peers whose X-Forwarded-For counts: addresses and networks. Default none. */
  proxies?: readonly string[] | undefined;
  /** Who may read /metrics: addresses and networks. Default: this machine. */
  metricsReaders?: readonly string[] | undefined;
  /** Allow plain ws beyond loopback, behind a proxy that ends TLS. */
  insecure?: boolean | undefined;
  log?: Log | undefined;
  limits?: Partial<ServerLimits> | undefined;
  /** Default: the platform's time. */
  clock?: Clock | undefined;
}

/** A running server. */
export interface BonevalueServer {
  /** `ws://…` or `wss://…`, once listening. */
  readonly url: string;
  /** For the command line, tests and an app's own administration. */
  readonly accounts: {
    add(username: string, password: string): Promise<void>;
    remove(username: string): Promise<void>;
    /** A one-use link, the secret in its fragment, with which the invited person chooses a password. */
    invite(email: string): Promise<Invited>;
    /** Trust between two accounts without tokens: `a` calls `b` by `aliasOfB`, and the other way round. */
    trust(a: string, aliasOfB: string, b: string, aliasOfA: string): Promise<void>;
  };
  /** Reads `trusted` again, announces the difference to every peer concerned, and has revoked links closed. */
  refresh(username: string): Promise<void>;
  /** Takes no more connections, tells clients when to come back, and closes what it opened. Again: the same promise. */
  close(): Promise<void>;
}

const purgeEvery = 60 * 60_000;

/**
 * Resolves once it listens; rejects with a message that says what to do (port taken, store unreachable, old Node).
 *
 * @example
 * const server = await createServer({ port: 0, store: ":memory:" });
 * await server.accounts.add("ann", "correct horse");
 */
export async function createServer(options: ServerOptions = {}): Promise<BonevalueServer> {
  const { log = defaultLog(), clock = systemClock } = options;
  const limits = withDefaults(options.limits);
  refuseUnsafe(options);
  // What was opened, to be closed in the opposite order.
  const opened: (() => Promise<void>)[] = [];

  async function closeAll(): Promise<void> {
    for (const close of opened.splice(0).reverse()) await close();
  }

  try {
    return await open();
  } catch (error) {
    await closeAll();
    throw error;
  }

  async function open(): Promise<BonevalueServer> {
    const store = await openStore(options.store ?? "bonevalue.db", log);
    if (store !== options.store) opened.push(store.close);
    const cluster = await openCluster(options.cluster, clock, log);
    const trust = options.trusted ? toldTrust(options.trusted, log) : storedTrust(store);
    const presence = await createPresence({ cluster, trust, clock, log, limits, sessionsOf: store.sessionsOf });
    opened.push(presence.close);
    const seen = createSeen(store, clock, log, presence.ids);
    opened.push(seen.close);

    const guard = createGuard(presence.node, limits);
    const metrics = createMetrics(
      () => door.sockets(),
      () => presence.ids().length,
    );
    const passwords = await createPasswords(limits.passwordQueue, metrics.password);
    const accounts = createAccounts({ store, passwords, guard, clock, limits, link });
    const ownAccounts = options.authenticate === undefined;
    const signIn = createSignIn({ store, accounts, guard, clock, limits, authenticate: options.authenticate });
    const answer = createRequests({
      presence,
      guard,
      log,
      accounts: ownAccounts ? accounts : undefined,
      tokens: options.trusted ? undefined : createTokens(store, clock, limits.tokenAge),
      mail:
        options.mail ?? (async (to, { link }) => log.info({ to, link }, "somebody is invited: send them this link")),
    });

    const http = options.server ?? (await listening(options));
    const { path = "/", insecure = false, ice = [] } = options;
    const proxies = addressList(options.proxies ?? []);
    const readers = addressList(options.metricsReaders ?? ["127.0.0.0/8", "::1"]);
    const door = createDoor({
      ...{ limits, clock, log, store, presence, seen, ice, signIn, answer, metrics },
      ...{ http, own: http !== options.server, path, proxies, insecure },
      welcome: (request) => mayConnect(request, new URL(base()).origin, options.origins),
      pages: createPages({ path, invitations: ownAccounts, metrics, readers, proxies, healthy }),
    });
    opened.push(door.close);
    const stopPurging = every(clock, purgeEvery, () => purge(store));
    opened.push(async () => stopPurging());

    function base(): string {
      return options.publicUrl ?? door.url().replace(/^ws/, "http");
    }

    function link(secret: string): string {
      return invitationLink(base(), secret);
    }

    async function healthy(): Promise<boolean> {
      if (door.closing) return false;
      return store.sessionsOf(["nobody"]).then(
        () => true,
        () => false,
      );
    }

    let closing: Promise<void> | undefined;
    return {
      get url() {
        return door.url();
      },
      accounts: {
        add: accounts.add,
        async remove(username) {
          const others = await accounts.remove(username);
          presence.revoke(username);
          await presence.trustChanged(others);
        },
        invite: accounts.invite,
        async trust(...names) {
          await presence.trustChanged(await accounts.trust(...names));
        },
      },
      refresh: (username) => presence.trustChanged([username], true),
      close() {
        closing ??= closeAll();
        return closing;
      },
    };
  }

  function purge(store: Store): Promise<void> {
    const now = clock.now();
    return store.purge(now, now - limits.sessionAge).catch((error: unknown) => {
      log.warn({ error }, "what has expired could not be forgotten; it will be tried again");
    });
  }
}

async function listening({ host = "127.0.0.1", port = 8000 }: ServerOptions): Promise<HttpServer> {
  const http = createHttpServer({
    maxHeaderSize: 8 * 1024,
    headersTimeout: 5_000,
    requestTimeout: 5_000,
    connectionsCheckingInterval: 1_000,
  });
  http.listen(port, host);
  try {
    await once(http, "listening");
  } catch (cause) {
    throw new Error(problem(cause, host, port), { cause });
  }
  return http;
}

function problem(cause: unknown, host: string, port: number): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "EADDRINUSE")
    return `Port ${port} on ${host} is taken: stop what listens there, or choose another port.`;
  if (code === "EACCES") return `Port ${port} may not be used by this user: choose one above 1023.`;
  return `Cannot listen on ${host}, port ${port} (${String(cause)}).`;
}

function refuseUnsafe({ host = "127.0.0.1", server, insecure, cluster, store = "bonevalue.db" }: ServerOptions): void {
  if (typeof cluster === "string" && !isShared(store))
    throw new Error(
      "A cluster of servers needs a store that all of them share, and a SQLite file is one machine's: give a postgres:// URL as the store.",
    );
  if (server !== undefined || insecure || isLoopback(host)) return;
  throw new Error(
    `Passwords would cross the network in the clear on ${host}: give a https server as \`server\`, or set \`insecure\` where a proxy ends TLS.`,
  );
}

function withDefaults(limits: Partial<ServerLimits> = {}): ServerLimits {
  return { ...defaultLimits, ...limits };
}
