import { systemClock } from "../clock.ts";
import { BonevalueError } from "../errors.ts";
import type { ToServer } from "../protocol/messages.ts";
import type { Credentials, Discovery, DiscoveryEvents, DiscoverySession } from "./discovery.ts";
import { createPageLifecycle } from "./page-lifecycle.ts";
import { createReconnectingSession, type Environment } from "./websocket/reconnecting-session.ts";
import type { AnswerTo, RequestType } from "./websocket/requests.ts";
import type { WebSocketConstructor } from "./websocket/socket.ts";

/** What {@link websocket} takes. */
export interface WebSocketOptions extends Partial<Omit<Environment, "WebSocket">> {
  /** In place of the platform's. */
  readonly WebSocket?: WebSocketConstructor | undefined;
}

/**
 * To a discovery server that speaks docs/protocol.md. Clock, randomness and page are the platform's unless handed in.
 *
 * @example
 * const client = createClient({ discovery: websocket({ WebSocket }) });
 */
export function websocket(options: WebSocketOptions = {}): Discovery {
  return {
    open: (host, credentials, events) =>
      openSession(host, credentials, events, {
        WebSocket: options.WebSocket ?? globalThis.WebSocket,
        clock: options.clock ?? systemClock,
        random: options.random ?? Math.random,
        page: options.page ?? createPageLifecycle(),
      }),
  };
}

function openSession(
  host: string,
  credentials: Credentials,
  events: DiscoveryEvents,
  environment: Environment,
): DiscoverySession {
  const comeback = createReconnectingSession(host, credentials, events, environment);
  let closing: Promise<void> | undefined;

  async function ask<Type extends RequestType>(type: Type, data: ToServer[Type]): Promise<AnswerTo<Type>> {
    const socket = comeback.socket();
    if (!socket) throw notConnected();
    return socket.request(type, data);
  }

  return {
    signal: (kind, to, signal) => comeback.socket()?.signal(kind, to, signal),
    check: () => comeback.socket()?.check(),
    async invite(email) {
      await ask("inviteUser", { email });
    },
    async requestToken(name) {
      const { token, expires } = await ask("requestToken", { name });
      return { token, expires: new Date(expires) };
    },
    async claimToken(name, token) {
      await ask("claimToken", { name, token: token.split(".", 1)[0] ?? token });
    },
    async removeUser(name) {
      await ask("removeUser", { name });
    },
    async changePassword(current, password) {
      try {
        const { session } = await ask("changePassword", { current, password });
        comeback.replace(session);
      } catch (error) {
        if (isUnsure(error)) comeback.tryPassword(password);
        throw error;
      }
    },
    close() {
      closing ??= comeback.stop();
      return closing;
    },
  };
}

/** Whether it leaves open what became of a request. */
function isUnsure(error: unknown): boolean {
  return error instanceof BonevalueError && ["disconnected", "timeout", "unreachable"].includes(error.code);
}

function notConnected(): BonevalueError {
  return new BonevalueError("not-connected", "The discovery server is out of reach. Ask again when we are online.");
}
