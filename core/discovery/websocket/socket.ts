import type { Clock } from "../../clock.ts";
import { encodeText } from "../../encode-text.ts";
import { BonevalueError } from "../../errors.ts";
import type { PeerId, Profile } from "../../peer.ts";
import { closeCode } from "../../protocol/close-code.ts";
import { idleTimeoutMs, maxFrameBytes } from "../../protocol/limits.ts";
import type { SignalKind, ToClient, ToServer } from "../../protocol/messages.ts";
import type { FirstFrame } from "./authenticator.ts";
import { type CloseReason, closeReasonFor, closeReasonOf, errorFromServer } from "./close-reason.ts";
import {
  collectSignIn,
  dispatch,
  type FromServer,
  readFrame,
  type ServerEvents,
  type SignedIn,
  unknownField,
} from "./from-server.ts";
import { createRequests, type RequestType, type ResponseTo } from "./requests.ts";
import { createWatchdog } from "./watchdog.ts";

/** The members of a WebSocket that a session uses. The platform's WebSocket and the class of `ws` have them. */
export interface WebSocketLike {
  send(text: string): void;
  close(code?: number): void;
  addEventListener(type: "open" | "message" | "close" | "error", listener: (event: any) => void): void;
}

/** The constructor of a WebSocket. */
export type WebSocketConstructor = new (url: string) => WebSocketLike;

/** The events of a socket. `ended` comes last and once, unless the session closed the socket itself. */
export interface SocketEvents extends ServerEvents {
  /** The server could not deliver a signal. */
  unreachable(to: PeerId): void;
  signedIn(signedIn: SignedIn): void;
  ended(reason: CloseReason): void;
  /** A check has no answer yet: the socket may be dead. */
  suspected(): void;
}

/**
 * How a client leaves. `end`: its session ends. `back`: it may return. `stay`: as the page is reloaded or hidden. The
 * server then waits for it before it tells others.
 */
export type Leave = "end" | "back" | "stay";

/** One WebSocket, from its first frame to its end. */
export interface Socket {
  signal(kind: SignalKind, to: PeerId, signal: unknown): void;
  request<Type extends RequestType>(type: Type, data: ToServer[Type]): Promise<ResponseTo<Type>>;
  /** Whether the server understands this extension. */
  supports(feature: string): boolean;
  /** Returns `false` if the server has no profiles. */
  setProfile(profile: Profile): boolean;
  /** Sends a ping. The socket ends when nothing arrives within 5 s. */
  check(): void;
  /** Another socket has taken over. This one waits for the answers to its requests and emits nothing more. */
  retire(): void;
  /** Closes. Resolves once the socket has closed, after 2 s at most. */
  leave(how: Leave): Promise<void>;
}

const signInTimeoutMs = 10_000;
const pingTimeoutMs = 5_000;
const suspectAfterMs = 500;
const closeTimeoutMs = 2_000;

/**
 * Opens a socket and signs in with `firstFrame`. Emits nothing before it has returned. Throws what the WebSocket's
 * constructor throws.
 */
export function openSocket(
  url: string,
  firstFrame: FirstFrame,
  events: SocketEvents,
  { WebSocket, clock }: { readonly WebSocket: WebSocketConstructor; readonly clock: Clock },
): Socket {
  let state: "signing in" | "signed in" | "retired" | "over" = "signing in";
  let features: readonly string[] = [];
  let lastError: ToClient["error"] | undefined;
  const socket = new WebSocket(url);
  let undoSuspicion: (() => void) | undefined;
  const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<void>();
  const requests = createRequests(clock);
  const signIn = collectSignIn(firstFrame.data);
  const watchdog = createWatchdog(clock, giveUp, onOverslept);

  watchdog.restart(signInTimeoutMs);
  socket.addEventListener("open", () => send(firstFrame.type, firstFrame.data));
  socket.addEventListener("message", ({ data }: { data: unknown }) => onMessage(data));
  // A close event with more detail follows every error. Without a listener, `ws` would throw.
  socket.addEventListener("error", () => {});
  socket.addEventListener("close", ({ code }: { code: number }) => {
    resolveClosed();
    end(reasonOf(code));
  });

  return {
    check,
    signal(kind, to, signal) {
      const id = requests.trackRelay(() => events.unreachable(to));
      sendRequest(id, kind, { to, signal });
    },
    request,
    supports: (feature) => features.includes(feature),
    setProfile(profile) {
      if (!features.includes("profiles")) return false;
      send("setProfile", { profile });
      return true;
    },
    retire() {
      state = "retired";
      watchdog.restart(closeTimeoutMs);
    },
    async leave(how) {
      if (state === "signed in" && how !== "stay") send("bye", how === "back" ? { back: true } : {});
      state = "retired";
      const undoTimeout = clock.after(closeTimeoutMs, resolveClosed);
      fail(closeReasonOf(closeCode.normal, undefined), closeCode.normal);
      await closed;
      undoTimeout();
    },
  };

  function send<Type extends keyof ToServer>(type: Type, data: ToServer[Type]) {
    if (state !== "over") socket.send(JSON.stringify({ type, data }));
  }

  function request<Type extends RequestType>(type: Type, data: ToServer[Type]): Promise<ResponseTo<Type>> {
    const { id, response } = requests.create(type);
    sendRequest(id, type, data);
    return response;
  }

  // The server closes the socket on a frame that is too large, so one long name would end the whole session.
  function sendRequest<Type extends keyof ToServer>(id: number, type: Type, data: ToServer[Type]) {
    const frame = JSON.stringify({ type, data, id });
    if (encodeText(frame).length > maxFrameBytes) requests.reject(id, tooLarge(type));
    else socket.send(frame);
  }

  function check() {
    if (state !== "signed in" || undoSuspicion) return;
    send("ping", {});
    watchdog.restart(pingTimeoutMs);
    undoSuspicion = clock.after(suspectAfterMs, () => state === "signed in" && events.suspected());
  }

  // Checks once only: in a hidden page every timer is late, so repeated checks would never end the socket.
  function onOverslept() {
    if (state === "signed in" && !undoSuspicion) check();
    else giveUp();
  }

  function clearSuspicion() {
    undoSuspicion?.();
    undoSuspicion = undefined;
  }

  function giveUp() {
    fail(closeReasonOf(closeCode.gaveUp, lastError, urlWhileSigningIn()));
  }

  function reasonOf(code: number): CloseReason {
    // An older server does not know this claim.
    if (state === "signing in" && code === closeCode.protocol && "room" in firstFrame.data)
      return closeReasonFor(unknownField("room"));
    return closeReasonOf(code, lastError, urlWhileSigningIn());
  }

  function urlWhileSigningIn(): string | undefined {
    return state === "signing in" ? url : undefined;
  }

  function onMessage(frame: unknown) {
    if (state === "over") return;
    clearSuspicion();
    if (state === "signed in") watchdog.restart(idleTimeoutMs);
    try {
      const message = readFrame(frame);
      if (message) handle(message);
    } catch (error) {
      if (!(error instanceof BonevalueError)) throw error;
      fail(closeReasonFor(error));
    }
  }

  function handle(message: FromServer) {
    const { type, id, data } = message;
    if (type === "error") {
      if (id === undefined) lastError = data;
      else requests.reject(id, errorFromServer(data));
    } else if (state === "signing in") handleSignIn(message);
    else if (type === "ping") send("pong", {});
    else if (id !== undefined) requests.resolve(id, message);
    else if (state === "signed in") dispatch(message, events);
  }

  function handleSignIn(message: FromServer) {
    watchdog.restart(signInTimeoutMs);
    const signedIn = signIn(message);
    if (message.type === "iceServers") dispatch(message, events);
    if (!signedIn) return;
    state = "signed in";
    features = signedIn.features;
    watchdog.restart(idleTimeoutMs);
    events.signedIn(signedIn);
  }

  // A broken socket may never emit `close`, so the socket is over as soon as it is closed here.
  function fail(reason: CloseReason, code: number = closeCode.gaveUp) {
    socket.close(code);
    end(reason);
  }

  function end(reason: CloseReason) {
    if (state === "over") return;
    const isRetired = state === "retired";
    state = "over";
    watchdog.stop();
    clearSuspicion();
    requests.end(unanswered());
    if (!isRetired) events.ended(reason);
  }
}

function unanswered(): BonevalueError {
  return new BonevalueError(
    "disconnected",
    "The connection to the discovery server was lost before it answered. Check the lists for whether it succeeded.",
  );
}

function tooLarge(type: string): BonevalueError {
  return new BonevalueError("too-large", `"${type}" is too large for the discovery server. Send less.`);
}
