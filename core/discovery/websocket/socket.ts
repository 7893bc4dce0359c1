import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import type { PeerId } from "../../peer.ts";
import { closeCode } from "../../protocol/close-code.ts";
import { idleTimeoutMs, maxFrameBytes } from "../../protocol/limits.ts";
import type { SignalKind, ToClient, ToServer } from "../../protocol/messages.ts";
import type { FirstFrame } from "./authenticator.ts";
import { type CloseReason, closeReasonFor, closeReasonOf, errorFromServer } from "./close-reason.ts";
import { dispatch, type ServerEvents } from "./dispatch.ts";
import { type FromServer, readFrame } from "./from-server.ts";
import { type AnswerTo, createRequests, type RequestType } from "./requests.ts";
import { collectSignIn, type SignedIn } from "./sign-in.ts";
import { createWatchdog } from "./watchdog.ts";

/** What is used of a WebSocket: the platform's and that of `ws` fit. */
export interface WebSocketLike {
  send(text: string): void;
  close(code?: number): void;
  addEventListener(type: "open" | "message" | "close" | "error", listener: (event: any) => void): void;
}

/** What makes one. */
export type WebSocketConstructor = new (url: string) => WebSocketLike;

/** What a socket tells its session; nothing after `ended`, which comes once unless we closed it. */
export interface SocketEvents extends ServerEvents {
  /** A signal that we sent could not be delivered. */
  unreachable(to: PeerId): void;
  signedIn(signedIn: SignedIn): void;
  ended(departure: CloseReason): void;
  /** A check was not answered at once: the socket may be dead. */
  doubted(): void;
}

/** One socket, from its first frame to its end. */
export interface Socket {
  signal(kind: SignalKind, to: PeerId, signal: unknown): void;
  request<Type extends RequestType>(type: Type, data: ToServer[Type]): Promise<AnswerTo<Type>>;
  /** Asks whether the server is still there, and ends when it does not say so within 5 s. */
  check(): void;
  /** Another socket has taken over: from now on this one only waits for its answers, and tells nothing. */
  retire(): void;
  /** Says goodbye, with `back` when the page may be shown again; resolves once that is on its way. */
  leave(back: boolean): Promise<void>;
}

const signInPatience = 10_000;
const pingPatience = 5_000;
const doubtAfter = 500;
const closePatience = 2_000;

/** Opens a socket and signs in with `opening`. Tells nothing before it has returned; throws what the WebSocket throws. */
export function openSocket(
  url: string,
  opening: FirstFrame,
  events: SocketEvents,
  { WebSocket, clock }: { readonly WebSocket: WebSocketConstructor; readonly clock: Clock },
): Socket {
  let state: "signing in" | "signed in" | "retired" | "over" = "signing in";
  let said: ToClient["error"] | undefined;
  const socket = new WebSocket(url);
  let undoDoubt: (() => void) | undefined;
  const { promise: closing, resolve: closed } = Promise.withResolvers<void>();
  const requests = createRequests(clock);
  const signIn = collectSignIn();
  const silence = createWatchdog(clock, giveUp, askOnce);

  silence.restart(signInPatience);
  socket.addEventListener("open", () => send(opening.type, opening.data));
  socket.addEventListener("message", ({ data }: { data: unknown }) => hear(data));
  // A close follows every error, and says more.
  socket.addEventListener("error", () => {});
  socket.addEventListener("close", ({ code }: { code: number }) => {
    closed();
    end(closeReasonOf(code, said, dialed()));
  });

  return {
    check,
    signal(kind, to, signal) {
      ask(
        requests.relay(() => events.unreachable(to)),
        kind,
        { to, signal },
      );
    },
    request(type, data) {
      const { id, answer } = requests.ask(type);
      ask(id, type, data);
      return answer;
    },
    retire() {
      state = "retired";
      silence.restart(closePatience);
    },
    async leave(back) {
      if (state === "signed in") send("bye", back ? { back } : {});
      state = "retired";
      const stopWaiting = clock.after(closePatience, closed);
      fail(closeReasonOf(closeCode.normal, undefined), closeCode.normal);
      await closing;
      stopWaiting();
    },
  };

  function send<Type extends keyof ToServer>(type: Type, data: ToServer[Type]) {
    if (state !== "over") socket.send(JSON.stringify({ type, data }));
  }

  // What is too long is refused here: the server would close on it, and all would end for one bad name.
  function ask<Type extends keyof ToServer>(id: number, type: Type, data: ToServer[Type]) {
    const frame = JSON.stringify({ type, data, id });
    if (new TextEncoder().encode(frame).length > maxFrameBytes) requests.refuse(id, tooLarge(type));
    else socket.send(frame);
  }

  function check() {
    if (state !== "signed in" || undoDoubt) return;
    send("ping", {});
    silence.restart(pingPatience);
    undoDoubt = clock.after(doubtAfter, () => state === "signed in" && events.doubted());
  }

  // A hidden page's timers are always late: who asked anew each time would never know.
  function askOnce() {
    if (state === "signed in" && !undoDoubt) check();
    else giveUp();
  }

  function forgetDoubt() {
    undoDoubt?.();
    undoDoubt = undefined;
  }

  function giveUp() {
    fail(closeReasonOf(closeCode.gaveUp, said, dialed()));
  }

  function dialed(): string | undefined {
    return state === "signing in" ? url : undefined;
  }

  function hear(frame: unknown) {
    if (state === "over") return;
    forgetDoubt();
    if (state === "signed in") silence.restart(idleTimeoutMs);
    try {
      const message = readFrame(frame);
      if (message) take(message);
    } catch (error) {
      if (!(error instanceof BonevalueError)) throw error;
      fail(closeReasonFor(error));
    }
  }

  function take(message: FromServer) {
    const { type, id, data } = message;
    if (type === "error") {
      if (id === undefined) said = data;
      else requests.refuse(id, errorFromServer(data));
    } else if (state === "signing in") meet(message);
    else if (type === "ping") send("pong", {});
    else if (id !== undefined) requests.answer(id, message);
    else if (state === "signed in") dispatch(message, events);
  }

  function meet(message: FromServer) {
    silence.restart(signInPatience);
    const signedIn = signIn(message);
    if (message.type === "iceServers") dispatch(message, events);
    if (!signedIn) return;
    state = "signed in";
    silence.restart(idleTimeoutMs);
    events.signedIn(signedIn);
  }

  // A socket that went bad may never say that it has closed: it is over as soon as we are done with it.
  function fail(departure: CloseReason, code: number = closeCode.gaveUp) {
    socket.close(code);
    end(departure);
  }

  function end(departure: CloseReason) {
    if (state === "over") return;
    const telling = state !== "retired";
    state = "over";
    silence.stop();
    forgetDoubt();
    requests.end(unanswered());
    if (telling) events.ended(departure);
  }
}

function unanswered(): BonevalueError {
  return new BonevalueError(
    "disconnected",
    "The discovery server went before it answered. The lists tell whether it was done.",
  );
}

function tooLarge(type: string): BonevalueError {
  return new BonevalueError("too-large", `"${type}" would take more than the 64 KiB that a server reads. Send less.`);
}
