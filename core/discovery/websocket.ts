import { systemClock } from "../clock.ts";
import { BonevalueError } from "../errors.ts";
import { missingInDiscovery } from "../missing-feature.ts";
import type { PeerId } from "../peer.ts";
import type { ToClient, ToServer } from "../protocol/messages.ts";
import type { RelayAccess } from "../relay-access.ts";
import type {
  Credentials,
  Discovery,
  DiscoveryEvents,
  DiscoverySession,
  OpenOptions,
  StoredCredentials,
} from "./discovery.ts";
import { createPageLifecycle } from "./page-lifecycle.ts";
import { setNewest } from "./websocket/newest.ts";
import { createReconnectingSession, type Environment } from "./websocket/reconnecting-session.ts";
import type { RequestType, ResponseTo } from "./websocket/requests.ts";
import { socketUrl } from "./websocket/server-url.ts";
import type { WebSocketConstructor } from "./websocket/socket.ts";

/** The options of {@link websocket}. */
export interface WebSocketOptions extends Partial<Omit<Environment, "WebSocket">> {
  /** Replaces the platform's WebSocket. */
  readonly WebSocket?: WebSocketConstructor | undefined;
}

/**
 * Discovery by a server that implements docs/protocol.md. Clock, randomness and page are the platform's by default.
 *
 * @example
 * const client = createClient({ discovery: websocket({ WebSocket }) });
 */
export function websocket(platform: WebSocketOptions = {}): Discovery {
  return {
    urlOf: socketUrl,
    open: (host, credentials, events, options) =>
      openSession(host, credentials, events, options, {
        WebSocket: platform.WebSocket ?? globalThis.WebSocket,
        clock: platform.clock ?? systemClock,
        random: platform.random ?? Math.random,
        page: platform.page ?? createPageLifecycle(),
      }),
  };
}

function openSession(
  host: string,
  credentials: Credentials | StoredCredentials,
  events: DiscoveryEvents,
  options: OpenOptions,
  environment: Environment,
): DiscoverySession {
  // The last one of each peer, for the newest 256. A callee uses an offer at once, or not at all.
  const relayOffers = new Map<PeerId, ToClient["relayOffer"]>();
  const session = createReconnectingSession(
    host,
    credentials,
    {
      ...events,
      relayOffer(offer) {
        setNewest(relayOffers, offer.from, offer);
      },
    },
    options,
    environment,
  );
  let closing: Promise<void> | undefined;

  async function request<Type extends RequestType>(
    type: Type,
    data: ToServer[Type],
    feature?: string,
  ): Promise<ResponseTo<Type>> {
    const socket = session.socket();
    if (!socket) throw notConnected();
    // A server closes the socket when it does not know the type of a message.
    if (feature !== undefined && !socket.supports(feature)) throw missingInDiscovery(feature);
    return socket.request(type, data);
  }

  async function openRelay(peer: PeerId, role: "caller" | "callee"): Promise<RelayAccess | undefined> {
    const ticket = role === "callee" ? relayOffers.get(peer) : await request("openRelay", { to: peer }, "relay");
    return ticket && { ...ticket, server: socketUrl(host), WebSocket: environment.WebSocket as never };
  }

  return {
    signal: (kind, to, signal) => session.socket()?.signal(kind, to, signal),
    get openRelay() {
      return session.socket()?.supports("relay") ? openRelay : undefined;
    },
    check: () => session.socket()?.check(),
    setProfile: (profile) => session.socket()?.setProfile(profile) ?? true,
    async invite(email, names) {
      const [alias, as] = [names?.alias ?? undefined, names?.as ?? undefined];
      const answer = await request("inviteUser", { email, alias, as });
      if (alias !== undefined && answer.alias === undefined)
        throw new BonevalueError("unsupported", "This server invited the person without names. Use a token, too.");
    },
    async requestToken(name) {
      const { token, expires } = await request("requestToken", { name });
      return { token, expires: new Date(expires) };
    },
    async claimToken(name, token) {
      await request("claimToken", { name, token: token.split(".", 1)[0] ?? token });
    },
    async removeUser(name) {
      await request("removeUser", { name });
    },
    async changePassword(current, password) {
      try {
        const { session: secret } = await request("changePassword", { current, password });
        session.replace(secret);
      } catch (error) {
        if (isInconclusive(error)) session.tryPassword(password);
        throw error;
      }
    },
    async devices() {
      const { devices } = await request("listDevices", {}, "devices");
      return devices.map(({ id, created, used, current }) => ({
        id,
        created: new Date(created),
        lastUsed: new Date(used),
        current,
      }));
    },
    async forgetDevice(id) {
      await request("forgetDevice", { id }, "devices");
    },
    close(end = false) {
      closing ??= session.stop(end);
      return closing;
    },
  };
}

/** Whether the request may have succeeded although it has no answer. */
function isInconclusive(error: unknown): boolean {
  return error instanceof BonevalueError && ["disconnected", "timeout", "unreachable"].includes(error.code);
}

function notConnected(): BonevalueError {
  return new BonevalueError(
    "not-connected",
    "The discovery server is out of reach. Ask again when `status` is online.",
  );
}
