import type { Clock } from "../../clock.ts";
import { BonevalueError } from "../../errors.ts";
import type { Credentials, DiscoveryEvents, DiscoverySession } from "../discovery.ts";
import type { Accounts } from "./accounts.ts";
import type { Login, Switchboard } from "./switchboard.ts";

/** What all sessions share. */
export interface MemoryServer {
  readonly clock: Clock;
  /** Each way, in ms. */
  readonly latency: number;
  readonly accounts: Accounts;
  readonly board: Switchboard;
  readonly sessions: Set<MemorySession>;
  readonly secret: () => string;
  readonly mail: (email: string, invite: string) => void;
  isDown(): boolean;
}

/** A session with the handles of what befalls it. */
export interface MemorySession {
  readonly session: DiscoverySession;
  login(): Login | undefined;
  /** Its line breaks. After the grace it is lost to the others. */
  cut(): void;
  /** It may come back. */
  comeBack(): void;
  /** The server ends it. */
  revoke(reason: BonevalueError): void;
}

const grace = 10_000;

/** Signs in, after the latency of each way. */
export function openMemorySession(
  server: MemoryServer,
  credentials: Credentials,
  events: DiscoveryEvents,
): MemorySession {
  const { clock, accounts, board } = server;
  const pending = new Set<(reason: BonevalueError) => void>();
  let state: "signing in" | "online" | "cut off" | "over" = "signing in";
  let login: Login | undefined;
  let lineIsUp = true;
  let line = 0;
  let undoGrace = () => {};

  const own: MemorySession = { session: createSession(), login: () => login, cut, comeBack, revoke };
  server.sessions.add(own);
  send(signIn);
  return own;

  function signIn() {
    if (server.isDown()) return end(unreachable());
    try {
      const username = identify(credentials, accounts);
      login = { id: server.secret(), username, reachable: () => lineIsUp, tell };
      arrive(login);
    } catch (error) {
      send(() => end(error as BonevalueError));
    }
  }

  function arrive(arriving: Login) {
    undoGrace();
    const snapshot = board.arrive(arriving);
    send(() => {
      state = "online";
      events.online(snapshot);
    });
  }

  function cut() {
    if (state === "signing in") return end(unreachable());
    if (!lineIsUp || !login) return;
    const { id } = login;
    hangUp(gone());
    undoGrace();
    undoGrace = clock.after(grace, () => board.depart(id, true));
    state = "cut off";
    events.interrupted(gone());
  }

  function comeBack() {
    if (state !== "cut off" || lineIsUp || !login) return;
    const returning = login;
    lineIsUp = true;
    send(() => arrive(returning));
  }

  function revoke(reason: BonevalueError) {
    if (login) board.depart(login.id, false);
    send(() => end(reason));
  }

  function leave() {
    const left = lineIsUp && login;
    if (left) clock.after(server.latency, () => board.depart(left.id, false));
    hangUp(gone());
    state = "over";
    server.sessions.delete(own);
  }

  function end(reason: BonevalueError) {
    leave();
    events.ended(reason);
  }

  function hangUp(reason: BonevalueError) {
    lineIsUp = false;
    line++;
    for (const reject of pending) reject(reason);
    pending.clear();
  }

  // What is under way when the line breaks never arrives.
  function send(task: () => void) {
    const sentOn = line;
    clock.after(server.latency, () => {
      if (sentOn === line) task();
    });
  }

  function tell(news: (listener: DiscoveryEvents) => void) {
    send(() => news(events));
  }

  function ask<Answer>(atServer: (username: string) => Answer): Promise<Answer> {
    if (state !== "online" || !login) return Promise.reject(notConnected());
    const { username } = login;
    return new Promise((resolve, reject) => {
      pending.add(reject);
      const settle = (how: () => void) => {
        pending.delete(reject);
        how();
      };
      send(() => {
        try {
          const answer = atServer(username);
          send(() => settle(() => resolve(answer)));
        } catch (error) {
          send(() => settle(() => reject(error)));
        }
      });
    });
  }

  function createSession(): DiscoverySession {
    return {
      signal(kind, to, signal) {
        if (state === "online" && login) send(board.relay.bind(board, kind, login, to, signal));
      },
      invite: (email) => ask(() => server.mail(email, accounts.invite(email))),
      requestToken: (alias) => ask((me) => accounts.makeToken(me, alias)),
      claimToken: (alias, token) => ask((me) => board.joined(me, accounts.claimToken(me, alias, token))),
      removeUser: (alias) => ask((me) => board.part(me, accounts.userNamed(me, alias))),
      changePassword: (current, password) => ask((me) => changePassword(me, current, password)),
      async close() {
        if (state !== "over") leave();
      },
    };
  }

  function changePassword(username: string, current: string, password: string) {
    accounts.changePassword(username, current, password);
    const reason = new BonevalueError("unauthenticated", "The password was changed. Sign in with the new one.");
    for (const other of server.sessions)
      if (other !== own && other.login()?.username === username) other.revoke(reason);
  }
}

function identify(credentials: Credentials, accounts: Accounts): string {
  if ("username" in credentials) return accounts.signIn(credentials.username, credentials.password);
  if ("invite" in credentials) return accounts.acceptInvite(credentials.invite, credentials.password);
  throw new BonevalueError(
    "unsupported",
    "This server has accounts of its own. Sign in with a user name and password.",
  );
}

function unreachable(): BonevalueError {
  return new BonevalueError("unreachable", "The server in memory is interrupted. Restore it, then connect again.");
}

function gone(): BonevalueError {
  return new BonevalueError("disconnected", "The server in memory is out of reach until it is restored.");
}

function notConnected(): BonevalueError {
  return new BonevalueError(
    "not-connected",
    "The server in memory is out of reach. Ask again when the client is online.",
  );
}
