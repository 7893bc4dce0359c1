import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import { closeCode } from "../../protocol/close-code.ts";
import type { Credentials, DiscoveryEvents } from "../discovery.ts";
import type { PageLifecycle } from "../page-lifecycle.ts";
import { createAuthenticator } from "./authenticator.ts";
import { createBackoff } from "./backoff.ts";
import type { CloseReason } from "./close-reason.ts";
import { socketUrl } from "./server-url.ts";
import type { SignedIn } from "./sign-in.ts";
import { openSocket, type Socket, type SocketEvents, type WebSocketConstructor } from "./socket.ts";

/** What a session needs of its platform. */
export interface Environment {
  /** Undefined where the platform has none. */
  readonly WebSocket: WebSocketConstructor | undefined;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly page: PageLifecycle;
}

/** A session as long as it lasts, whatever becomes of its sockets. */
export interface ReconnectingSession {
  /** The socket that is signed in at this moment. */
  socket(): Socket | undefined;
  /** The secret for coming back has changed. */
  replace(session: string): void;
  /** The password may have been changed to this one: it is tried where the secret is refused. */
  tryPassword(password: string): void;
  /** Says goodbye and comes back no more; resolves once the departure is on its way. */
  stop(): Promise<void>;
}

/** One attempt to reach the server, and what came of it: no socket while the app is still asked for a token. */
interface Attempt {
  socket?: Socket;
}

// A server that drops us as soon as it has us would otherwise be asked again without a pause.
const stable = 10_000;

/**
 * Signs in at `host`, and comes back on new sockets until it is stopped or told to stay away. One line is signed in;
 * another may be on its way to take over from it.
 */
export function createReconnectingSession(
  host: string,
  credentials: Credentials,
  events: DiscoveryEvents,
  { WebSocket, clock, random, page }: Environment,
): ReconnectingSession {
  const proof = createAuthenticator(credentials, clock);
  const backoff = createBackoff(random);
  let current: Attempt | undefined;
  let next: Attempt | undefined;
  let stopWaiting = () => {};
  let notBefore = clock.now();
  let since = 0;
  let everOnline = false;
  let username = "";
  let online = false;
  let askedAgain = false;
  // A line that we gave up may have been let in all the same.
  let maybeReplaced = false;

  const pageListeners = [page.onWake(wake), page.onHide(hide)];
  dial();

  return {
    socket: () => current?.socket,
    replace: proof.replace,
    tryPassword: (password) => proof.tryPassword(username, password),
    stop,
  };

  async function dial(): Promise<void> {
    stopWaiting();
    if (next) return;
    const line: Attempt = {};
    next = line;
    try {
      const opening = await proof.firstFrame();
      if (next !== line) return;
      line.socket = openSocket(socketUrl(host), opening, eventsOf(line), { WebSocket: existing(WebSocket), clock });
    } catch (error) {
      if (next === line) left(line, { code: closeCode.gaveUp, reason: dialError(error), retry: true, retryAfterMs: 0 });
    }
  }

  function eventsOf(line: Attempt): SocketEvents {
    return {
      ...events,
      signedIn: (signedIn) => arrived(line, signedIn),
      reconnect(after) {
        stopWaiting();
        stopWaiting = clock.after(after, dial);
      },
      ended: (departure) => left(line, departure),
      // Another line takes over, and nobody notices; if it was for nothing, that is cheaper than to wait.
      doubted: comeNow,
    };
  }

  function arrived(line: Attempt, { snapshot, session }: SignedIn) {
    current?.socket?.retire();
    current = line;
    next = undefined;
    proof.keep(session);
    username = snapshot.self.username;
    since = clock.now();
    everOnline = online = true;
    askedAgain = maybeReplaced = false;
    events.online(snapshot);
  }

  function left(line: Attempt, departure: CloseReason) {
    if (line === next) {
      next = undefined;
      maybeReplaced = true;
    }
    if (line === current) {
      current = undefined;
      if (clock.now() - since >= stable) backoff.reset();
      // The one on its way has taken over, and will say so.
      if (departure.code === closeCode.superseded && next?.socket) return;
    }
    if (!mayReturn(departure)) return finish(departure.reason);
    notBefore = Math.max(notBefore, clock.now() + departure.retryAfterMs);
    if (!next) wait(backoff.next());
    // Last: who hears of it may stop us.
    if (!current) interrupt(departure.reason);
  }

  function mayReturn({ code, retry }: CloseReason): boolean {
    if (code === closeCode.superseded && maybeReplaced) return everOnline;
    if (code !== closeCode.unauthenticated) return retry && everOnline;
    // Where it is more than a secret that has just been replaced, the socket that is signed in hears of it as well.
    if (current) return true;
    const again = !askedAgain && proof.renew();
    askedAgain = true;
    return again;
  }

  function wait(pause: number) {
    stopWaiting();
    stopWaiting = clock.after(Math.max(0, notBefore - clock.now()) + pause, dial);
  }

  function wake() {
    if (current) current.socket?.check();
    else comeNow();
    events.woke();
  }

  function comeNow() {
    if (!next) wait(0);
  }

  function hide(back: boolean) {
    void leave(back);
    interrupt(new BonevalueError("disconnected", "The page was put away. We come back when it is shown."));
  }

  function interrupt(reason: BonevalueError) {
    if (online) events.interrupted(reason);
    online = false;
  }

  function finish(reason: BonevalueError) {
    void stop();
    events.ended(reason);
  }

  function stop(): Promise<void> {
    for (const undo of pageListeners) undo();
    return leave(false);
  }

  async function leave(back: boolean): Promise<void> {
    stopWaiting();
    proof.stopAsking();
    const lines = [current, next];
    current = next = undefined;
    await Promise.all(lines.map((line) => line?.socket?.leave(back)));
  }
}

function existing(WebSocket: WebSocketConstructor | undefined): WebSocketConstructor {
  if (WebSocket) return WebSocket;
  throw new BonevalueError("unsupported", "There is no WebSocket here. Hand one in: websocket({ WebSocket }).");
}

function dialError(cause: unknown): BonevalueError {
  if (cause instanceof BonevalueError) return cause;
  const message = "This page may not open a WebSocket to the discovery server. On https it needs a wss:// address.";
  return new BonevalueError("unreachable", message, { cause });
}
