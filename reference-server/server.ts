import { randomUUID } from "node:crypto";
import type { Server as HttpServer, IncomingMessage } from "node:http";
import { type Accounts, createAccounts, type InvitationLink } from "./accounts.ts";
import { addressList } from "./address.ts";
import { createAttemptLimiter } from "./attempt-limiter.ts";
import { type Bans, createBans } from "./bans.ts";
import { every, systemClock } from "./clock.ts";
import { openCluster } from "./cluster/open.ts";
import type { ConnectionParts } from "./connection.ts";
import { createDevices } from "./devices.ts";
import { invitationLink, publicUrl } from "./invitation.ts";
import { createLastSeen } from "./last-seen.ts";
import { resolveLimits } from "./limits.ts";
import { listen, replaceCertificate, stopListening } from "./listen.ts";
import { defaultLog } from "./log.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { canonicalName } from "./names.ts";
import type { BonevalueServer, ServerOptions } from "./options.ts";
import { checkOptions } from "./options-check.ts";
import { isOriginAllowed } from "./origin.ts";
import { createPages, type Health, withoutSlash } from "./pages.ts";
import { createPasswords } from "./passwords.ts";
import { createPresence, type Presence } from "./presence.ts";
import { relayLimits } from "./relay/limits.ts";
import { createRelay, type Relay, relayPath } from "./relay/relay.ts";
import { createRequests } from "./requests.ts";
import { createSignIn, type RoomJoin } from "./sign-in.ts";
import { openStore } from "./store/open.ts";
import type { Store } from "./store/store.ts";
import { createStoreMonitor, type StoreMonitor } from "./store-monitor.ts";
import { appTrust, createTokens, storedTrust } from "./trust.ts";
import { createUpgradeHandler, type UpgradeHandler } from "./upgrade-handler.ts";
import { watchChanges } from "./watch-changes.ts";
import { withTimeout, withTimeouts } from "./with-timeout.ts";

export type { InvitationFrom, InvitationLink } from "./accounts.ts";
export type { Ban, Banned } from "./bans.ts";
export type { Clock } from "./clock.ts";
export type { BusMessage, Cluster, ClusterFailure, ClusterNode, Login, NodeEvents, Online } from "./cluster/cluster.ts";
export type { IceOption } from "./ice.ts";
export type { ServerLimits } from "./limits.ts";
export type { Certificate } from "./listen.ts";
export type { Log } from "./log.ts";
export type { BonevalueServer, ServerOptions } from "./options.ts";
export type { RelayLimits } from "./relay/limits.ts";
export type { Authenticate, RoomJoin } from "./sign-in.ts";
export type {
  AcceptResult,
  Account,
  AccountChange,
  Device,
  GuestSession,
  Invitation,
  Session,
  Store,
  Token,
  Trusted,
  TrustResult,
} from "./store/store.ts";

const purgeEvery = 60 * 60_000;

/**
 * Starts a discovery server. Resolves when it listens; rejects with a message that says what to do (port in use, store
 * unreachable, unsupported Node).
 *
 * @example
 * const server = await createServer({ port: 0, store: ":memory:" });
 * await server.accounts.add("ann", "correct horse");
 */
export async function createServer(options: ServerOptions = {}): Promise<BonevalueServer> {
  const { log = defaultLog(), clock = systemClock } = options;
  checkOptions(options);
  const limits = resolveLimits(options.limits);
  const limitsOfRelay = relayLimits(options.relay);
  const configuredUrl = options.publicUrl === undefined ? undefined : publicUrl(options.publicUrl);
  const authenticate = timed("`authenticate`", options.authenticate);
  const trusted = timed("`trusted`", options.trusted);
  const rooms = timed("`rooms`", roomsOf(options.rooms));
  // The undo of each step of opening, called in reverse order.
  const opened: (() => Promise<void>)[] = [];
  let upgradeHandler: UpgradeHandler;
  let http: HttpServer;

  try {
    return await open();
  } catch (error) {
    await closeAll();
    throw error;
  }

  async function closeAll(): Promise<void> {
    for (const close of opened.splice(0).reverse()) await close();
  }

  function timed<Input, Answer>(who: string, ask: ((question: Input) => Promise<Answer>) | undefined) {
    return ask && withTimeout(who, ask, limits.backendTimeout, clock);
  }

  async function open(): Promise<BonevalueServer> {
    const store = await openTimedStore();
    const bans = createBans(store, clock);
    await bans.reload();
    const presence = await openPresence(store);
    const monitor = createStoreMonitor({ store, clock, log, isClustered: options.cluster !== undefined });
    opened.push(monitor.close);
    const seen = createLastSeen(store, clock, log, limits, presence);
    opened.push(seen.close);

    const limiter = createAttemptLimiter(presence.node, limits);
    const metrics = createMetrics({
      sockets: () => upgradeHandler.sockets(),
      online: () => presence.ids().length,
      pipes: () => relay?.pipes() ?? 0,
    });
    const relay = openRelay(presence, metrics);
    const passwords = await createPasswords(limits.passwordQueue, metrics.password);
    const accounts = createAccounts({ store, passwords, limiter, clock, limits, link: linkTo });
    const devices = authenticate ? undefined : createDevices(store, clock, limits);
    // If it fails, the lists are read again with the next resync.
    const trustChanged = (users: readonly string[]) =>
      presence.trustChanged(users).catch((error: unknown) => log.warn({ error }, "trust cannot be read; retrying"));
    const signInParts = { store, bans, accounts, devices, limiter, clock, limits, authenticate, rooms, trustChanged };
    const signIn = createSignIn(signInParts);
    const answer = createRequests({
      ...{ presence, devices, limiter, log },
      accounts: authenticate ? undefined : accounts,
      tokens: trusted ? undefined : createTokens(store, clock, limits.tokenAge),
      mail: options.mail ?? logInvitation,
    });

    await openUpgradeHandler(monitor, accounts, {
      limits,
      clock,
      log,
      store,
      presence,
      bans,
      devices,
      seen,
      signIn,
      answer,
      metrics,
      relay,
    });
    const stopWatching = watchChanges(store, clock, log, async () => {
      await bans.reload();
      evictBanned(presence, bans);
      await presence.reload();
    });
    opened.push(async () => stopWatching());
    const stopPurging = every(clock, purgeEvery, () => purge(store));
    opened.push(async () => stopPurging());
    return createHandle(store, accounts, bans, presence);
  }

  async function openTimedStore(): Promise<Store> {
    const store = await openStore(options.store ?? "bonevalue.db", log, options.poolSize);
    if (store !== options.store) opened.push(store.close);
    return withTimeouts("The store", store, limits.backendTimeout, clock);
  }

  async function openPresence(store: Store): Promise<Presence> {
    const cluster = await openCluster(options.cluster, clock, log);
    const trust = trusted ? appTrust(trusted, log) : storedTrust(store);
    const presence = await createPresence({ cluster, trust, clock, log, limits, sessionsOf: store.sessionsOf });
    opened.push(presence.close);
    return presence;
  }

  function openRelay(presence: Presence, metrics: Metrics): Relay | undefined {
    if (limitsOfRelay === undefined) return undefined;
    const url = relayUrl();
    if (url === undefined) {
      log.warn(
        {},
        "this server relays no links: set `nodeUrl` (--node-url), because peers have to reach this server of the cluster directly",
      );
      return undefined;
    }
    const { firstFrameTimeout } = limits;
    return createRelay({ presence, clock, log, metrics, url, firstFrameTimeout, limits: limitsOfRelay });
  }

  /** The URL of relay sockets. Undefined if clients cannot choose this node. */
  function relayUrl(): string | undefined {
    const { cluster, nodeUrl = cluster === undefined ? options.publicUrl : undefined } = options;
    if (nodeUrl !== undefined) return `${withoutSlash(nodeUrl).replace(/^http/i, "ws")}/${relayPath}`;
    // Clients resolve it against the URL by which they have reached this server.
    return cluster === undefined ? relayPath : undefined;
  }

  async function openUpgradeHandler(
    monitor: StoreMonitor,
    accounts: Accounts,
    parts: Omit<ConnectionParts, "ice">,
  ): Promise<void> {
    http = options.server ?? (await listen(options.host, options.port, options.tls));
    if (http !== options.server) opened.push(() => stopListening(http));
    const { path = "/", insecure = false, ice = [], name, appUrl } = options;
    const proxies = addressList(options.proxies ?? []);
    const readers = addressList(options.metricsReaders ?? ["127.0.0.0/8", "::1"]);
    const { metrics, presence } = parts;
    const originAllowed = (request: IncomingMessage) => isOriginAllowed(request, baseUrl(), options.origins);
    const invitations = authenticate ? undefined : { find: accounts.invitation, service: { name, appUrl } };
    upgradeHandler = createUpgradeHandler({
      ...{ ...parts, http, path, ice, proxies, insecure },
      isOriginAllowed: originAllowed,
      pages: createPages({
        ...{ path, invitations, metrics, readers, proxies, log, isOriginAllowed: originAllowed },
        health: () => healthOf(monitor, presence),
      }),
    });
    opened.push(upgradeHandler.close);
  }

  function createHandle(store: Store, accounts: Accounts, bans: Bans, presence: Presence): BonevalueServer {
    let closing: Promise<void> | undefined;
    /** Tells the other servers that share the store. */
    const announce = async (username: string) => store.addChange?.({ id: randomUUID(), username, at: clock.now() });
    return {
      get url() {
        return upgradeHandler.url() ?? noAddress();
      },
      accounts: {
        add: accounts.add,
        async remove(username) {
          const others = await accounts.remove(username);
          presence.revoke(canonicalName(username));
          await presence.trustChanged(others);
        },
        list: accounts.list,
        sessions: accounts.sessions,
        async setPassword(username, password) {
          await accounts.setPassword(username, password);
          presence.revoke(canonicalName(username));
        },
        invite: accounts.invite,
        async trust(...names) {
          await presence.trustChanged(await accounts.trust(...names));
        },
      },
      replaceCertificate(certificate) {
        replaceCertificate(http, certificate);
      },
      async kick(peer) {
        await store.endSession(peer);
        if (!presence.evict(({ id }) => id === peer)) await announce("");
      },
      async ban(banned, until) {
        await bans.add(banned, until);
        evictBanned(presence, bans);
        await announce("");
      },
      async unban(banned) {
        await bans.remove(banned);
        await announce("");
      },
      bans: bans.list,
      refresh: (username) => presence.trustChanged([canonicalName(username)], true),
      close() {
        closing ??= closeAll();
        return closing;
      },
    };
  }

  async function logInvitation(to: string, { link, inviter }: InvitationLink): Promise<void> {
    log.info({ to, link, inviter }, "invitation created: send this link to the invited person");
  }

  function baseUrl(): string | undefined {
    return configuredUrl ?? upgradeHandler.url()?.replace(/^ws/, "http");
  }

  function linkTo(secret: string): string {
    return invitationLink(baseUrl() ?? noAddress(), secret);
  }

  async function healthOf(monitor: StoreMonitor, presence: Presence): Promise<Health> {
    if (upgradeHandler.closing) return { isHealthy: false, problem: "the server is stopping" };
    if (!(await monitor.check())) return { isHealthy: false, problem: "the store does not accept writes" };
    switch (presence.node.failure?.()) {
      case "refused":
        return { isHealthy: false, problem: "the cluster's engine answers with errors" };
      case "unreachable":
        return { isHealthy: true, problem: "the cluster's engine is unreachable" };
      default:
        return { isHealthy: true };
    }
  }

  function purge(store: Store): Promise<void> {
    const now = clock.now();
    const [since, guestsSince, devicesSince] = [limits.sessionAge, limits.guestAge, limits.deviceAge].map(
      (age) => now - age,
    );
    return store.purge(now, since!, guestsSince!, devicesSince).catch((error: unknown) => {
      log.warn({ error }, "expired rows cannot be deleted; retrying");
    });
  }
}

function roomsOf(rooms: ServerOptions["rooms"]): ((join: RoomJoin) => Promise<boolean>) | undefined {
  if (typeof rooms === "function") return async (join) => rooms(join);
  return rooms ? async () => true : undefined;
}

function evictBanned(presence: Presence, bans: Bans): void {
  presence.evict(({ address, user }) => bans.includes(address, user));
}

function noAddress(): never {
  throw new Error("The http server given as `server` does not listen yet: call listen() first, or set `publicUrl`.");
}
