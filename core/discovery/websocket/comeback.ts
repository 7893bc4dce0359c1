import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import type { Credentials, DiscoveryEvents } from "../discovery.ts";
import type { Page } from "../page.ts";
import { createBackoff } from "./backoff.ts";
import { Close, type Departure } from "./departure.ts";
import { socketUrl } from "./host.ts";
import { createProof } from "./proof.ts";
import type { SignedIn } from "./sign-in.ts";
import { openSocket, type Socket, type SocketEvents, type WebSocketConstructor } from "./socket.ts";

/** What a session needs of its platform. */
export interface Environment {
  /** Undefined where the platform has none. */
  readonly WebSocket: WebSocketConstructor | undefined;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly page: Page;
}

/** A session as long as it lasts, whatever becomes of its sockets. */
export interface Comeback {
  /** The socket that is signed in at this moment. */
  socket(): Socket | undefined;
  /** The secret for coming back has changed. */
  replace(session: string): void;
  /** The password may have been changed to this one: it is tried where the secret is refused. */
  doubt(password: string): void;
  /** Says goodbye and comes back no more; resolves once the departure is on its way. */
  stop(): Promise<void>;
}

/** One attempt to reach the server, and what came of it: no socket while the app is still asked for a token. */
interface Line {
  socket?: Socket;
}

// A server that drops us as soon as it has us would otherwise be asked again without a pause.
const stable = 10_000;

/**
 * Signs in at `host`, and comes back on new sockets until it is stopped or told to stay away. One line is signed in;
 * another may be on its way to take over from it.
 */
export function createComeback(
  host: string,
  credentials: Credentials,
  events: DiscoveryEvents,
  { WebSocket, clock, random, page }: Environment,
): Comeback {
  const proof = createProof(credentials, clock);
  const backoff = createBackoff(random);
  let current: Line | undefined;
  let next: Line | undefined;
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
    doubt: (password) => proof.doubt(username, password),
    stop,
  };

  async function dial(): Promise<void> {
    stopWaiting();
    if (next) return;
    const line: Line = {};
    next = line;
    try {
      const opening = await proof.opening();
      if (next !== line) return;
      line.socket = openSocket(socketUrl(host), opening, eventsOf(line), { WebSocket: existing(WebSocket), clock });
    } catch (error) {
      if (next === line) left(line, { code: Close.gaveUp, reason: dialError(error), comeBack: true, after: 0 });
    }
  }

  function eventsOf(line: Line): SocketEvents {
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

  function arrived(line: Line, { snapshot, session }: SignedIn) {
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

  function left(line: Line, departure: Departure) {
    if (line === next) {
      next = undefined;
      maybeReplaced = true;
    }
    if (line === current) {
      current = undefined;
      if (clock.now() - since >= stable) backoff.reset();
      // The one on its way has taken over, and will say so.
      if (departure.code === Close.takenOver && next?.socket) return;
    }
    if (!mayReturn(departure)) return finish(departure.reason);
    notBefore = Math.max(notBefore, clock.now() + departure.after);
    if (!next) wait(backoff.next());
    // Last: who hears of it may stop us.
    if (!current) interrupt(departure.reason);
  }

  function mayReturn({ code, comeBack }: Departure): boolean {
    if (code === Close.takenOver && maybeReplaced) return everOnline;
    if (code !== Close.unauthenticated) return comeBack && everOnline;
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
