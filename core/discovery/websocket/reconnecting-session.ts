import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import { missingFeature } from "../../missing-feature.ts";
import { closeCode } from "../../protocol/close-code.ts";
import type { Credentials, DiscoveryEvents, OpenOptions, StoredCredentials } from "../discovery.ts";
import type { PageLifecycle } from "../page-lifecycle.ts";
import { createAuthenticator } from "./authenticator.ts";
import { createBackoff } from "./backoff.ts";
import type { CloseReason } from "./close-reason.ts";
import type { SignedIn } from "./from-server.ts";
import { socketUrl } from "./server-url.ts";
import { type Leave, openSocket, type Socket, type SocketEvents, type WebSocketConstructor } from "./socket.ts";

/** The parts of the platform that a session uses. */
export interface Environment {
  /** Undefined if the platform has none. */
  readonly WebSocket: WebSocketConstructor | undefined;
  readonly clock: Clock;
  /** Returns numbers from 0 up to 1. */
  readonly random: () => number;
  readonly page: PageLifecycle;
}

/** A session that outlives its sockets. */
export interface ReconnectingSession {
  /** The socket that is signed in now. */
  socket(): Socket | undefined;
  /** Replaces the session secret. */
  replace(session: string): void;
  /** The password may have changed to this one. It is tried when the secret is refused. */
  tryPassword(password: string): void;
  /** Leaves for good. `end` also ends a session that a later page could continue. Resolves once the sockets have closed. */
  stop(end: boolean): Promise<void>;
}

/** The events of a session, and the offers of relayed links that the server makes to it. */
type SessionEvents = DiscoveryEvents & Pick<SocketEvents, "relayOffer">;

/** One attempt to sign in. It has no socket while the app is asked for a token. */
interface Attempt {
  socket?: Socket;
}

// A server may drop every socket right after the sign-in. Only a longer connection resets the backoff.
const stableAfterMs = 10_000;

/**
 * Signs in at `host`, and reconnects until `stop` or a close that forbids it.
 *
 * One attempt is `current`: its socket is signed in. One may be `next`: it signs in and then replaces the current one,
 * which the client does not notice. Failed attempts are retried with a backoff.
 */
export function createReconnectingSession(
  host: string,
  credentials: Credentials | StoredCredentials,
  events: SessionEvents,
  options: OpenOptions,
  { WebSocket, clock, random, page }: Environment,
): ReconnectingSession {
  const authenticator = createAuthenticator(credentials, options, clock);
  const backoff = createBackoff(random);
  let current: Attempt | undefined;
  let next: Attempt | undefined;
  let undoTimer = () => {};
  let notBefore = clock.now();
  let signedInAt = 0;
  let wasEverOnline = false;
  let isOnline = false;
  let username = "";
  let hasRenewed = false;
  // The server may have accepted an attempt that this side gave up.
  let maybeSuperseded = false;

  const undoPage = [page.onWake(onWake), page.onHide(onHide)];
  dial();

  return {
    socket: () => current?.socket,
    replace: authenticator.replace,
    tryPassword: (password) => authenticator.tryPassword(username, password),
    stop,
  };

  async function dial(): Promise<void> {
    undoTimer();
    if (next) return;
    const attempt: Attempt = {};
    next = attempt;
    try {
      const firstFrame = await authenticator.firstFrame();
      if (next !== attempt) return;
      attempt.socket = openSocket(socketUrl(host), firstFrame, socketEvents(attempt), {
        WebSocket: requireWebSocket(WebSocket),
        clock,
      });
    } catch (error) {
      const reason = dialError(error);
      if (next === attempt) onEnded(attempt, { code: closeCode.gaveUp, reason, retry: true, retryAfterMs: 0 });
    }
  }

  function socketEvents(attempt: Attempt): SocketEvents {
    return {
      ...events,
      signedIn: (signedIn) => onSignedIn(attempt, signedIn),
      reconnect(afterMs) {
        undoTimer();
        undoTimer = clock.after(afterMs, dial);
      },
      ended: (reason) => onEnded(attempt, reason),
      // Cheaper than to wait for the time-out, even if the socket turns out to be alive.
      suspected: reconnectNow,
    };
  }

  function onSignedIn(attempt: Attempt, signedIn: SignedIn) {
    const { snapshot } = signedIn;
    current?.socket?.retire();
    current = attempt;
    next = undefined;
    authenticator.keep(signedIn);
    username = snapshot.self.username;
    signedInAt = clock.now();
    wasEverOnline = isOnline = true;
    hasRenewed = maybeSuperseded = false;
    events.online(snapshot);
  }

  function onEnded(attempt: Attempt, closeReason: CloseReason) {
    if (attempt === next) {
      next = undefined;
      maybeSuperseded = true;
    }
    if (attempt === current) {
      current = undefined;
      if (clock.now() - signedInAt >= stableAfterMs) backoff.reset();
      // The next attempt has taken over, and emits `signedIn` soon.
      if (closeReason.code === closeCode.superseded && next?.socket) return;
    }
    if (!mayReconnect(closeReason)) return finish(closeReason.reason);
    notBefore = Math.max(notBefore, clock.now() + closeReason.retryAfterMs);
    if (!next) dialAfter(backoff.next());
    // Last, because a listener may stop this session.
    if (!current) interrupt(closeReason.reason);
  }

  function mayReconnect({ code, retry }: CloseReason): boolean {
    if (code === closeCode.superseded && maybeSuperseded) return wasEverOnline;
    if (code !== closeCode.unauthenticated) return retry && wasEverOnline;
    // A refusal of more than a replaced secret also closes the current socket.
    if (current) return true;
    const mayRenew = !hasRenewed && authenticator.renew();
    hasRenewed = true;
    return mayRenew;
  }

  function dialAfter(delayMs: number) {
    undoTimer();
    undoTimer = clock.after(Math.max(0, notBefore - clock.now()) + delayMs, dial);
  }

  function onWake() {
    if (current) current.socket?.check();
    else reconnectNow();
    events.woke();
  }

  function reconnectNow() {
    if (!next) dialAfter(0);
  }

  function onHide(back: boolean) {
    void leave(authenticator.stays ? "stay" : back ? "back" : "end");
    interrupt(new BonevalueError("disconnected", "The page was hidden. The client reconnects when it is shown."));
  }

  function interrupt(reason: BonevalueError) {
    if (isOnline) events.interrupted(reason);
    isOnline = false;
  }

  function finish(reason: BonevalueError) {
    void stop(false);
    events.ended(reason);
  }

  function stop(end: boolean): Promise<void> {
    for (const undo of undoPage) undo();
    return leave(authenticator.stays && !end ? "back" : "end");
  }

  async function leave(how: Leave): Promise<void> {
    undoTimer();
    authenticator.cancel();
    authenticator.release();
    const attempts = [current, next];
    current = next = undefined;
    await Promise.all(attempts.map((attempt) => attempt?.socket?.leave(how)));
  }
}

function requireWebSocket(WebSocket: WebSocketConstructor | undefined): WebSocketConstructor {
  if (WebSocket) return WebSocket;
  throw new BonevalueError("unsupported", "This runtime has no WebSocket. Pass one: websocket({ WebSocket }).");
}

function dialError(cause: unknown): BonevalueError {
  if (cause instanceof BonevalueError) return cause;
  const { name, message: detail } = Object(cause);
  if (name === "TypeError" || name === "ReferenceError") return missingFeature(detail, "core-js", cause);
  const message =
    "This page may not open a WebSocket to the discovery server. Use wss:// on https, and check this page's Content-Security-Policy (connect-src).";
  return new BonevalueError("unreachable", message, { cause });
}
