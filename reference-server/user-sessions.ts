import { us } from "../core/protocol/alias.ts";
import type { BusMessage, ClusterNode, Login } from "./cluster/cluster.ts";
import { coalesce } from "./coalesce.ts";
import { encode } from "./frames.ts";
import { difference, emptyView, join, leave, type PresenceEvent, type PresenceView } from "./presence-view.ts";
import type { Trust } from "./trust.ts";

/** One signed-in socket. */
export interface Member {
  readonly id: string;
  readonly user: string;
  /** Sends the first lists. No other frame is sent before them. */
  sendLists(lists: SignInLists): void;
  send(frame: string): void;
  /** Closes the socket: a newer one has taken over its session, or its session has ended. No frame is sent afterwards. */
  end(why: "superseded" | "revoked"): void;
}

/** The lists that a client receives at sign-in. */
export interface SignInLists {
  /** The peer was still online for others: its departure was not announced. */
  readonly resumed: boolean;
  readonly users: readonly string[];
  readonly peers: readonly { readonly name: string; readonly id: string }[];
}

/** A member and its state on this node. */
export interface SessionEntry {
  readonly member: Member;
  readonly login: Login;
  readonly userSessions: UserSessions;
  /** The member has received its lists and has an open socket. */
  ready: boolean;
  stopGrace: (() => void) | undefined;
}

/** All sessions of one user on this node. They share one view of presence. */
export interface UserSessions {
  readonly user: string;
  /** By peer id. */
  readonly entries: Map<string, SessionEntry>;
  view: PresenceView;
  /** Messages that arrived while the view is being read; undefined otherwise. */
  queued: BusMessage[] | undefined;
  /** The size of the queued signals, in characters of JSON. */
  queuedSize: number;
  /** Reads trust and presence again and sends the changes. The data it reads is not older than the call. */
  refresh(): Promise<void>;
}

/**
 * The user sessions of this node, with an index from each user to the sessions that watch it.
 *
 * Each user has one view: names of trusted users and online peers. A reload reads trust and presence, which takes time, so
 * bus messages that arrive meanwhile are queued, applied to the new view when it is complete, and only then is the
 * difference between the old and the new view sent. Epochs make this safe: an older message never overrides newer state.
 */
export interface UserSessionsIndex {
  /** Creates the sessions of a user if missing. The caller deletes them when the last entry has gone. */
  getOrCreate(user: string): UserSessions;
  get(user: string): UserSessions | undefined;
  all(): Iterable<UserSessions>;
  delete(sessions: UserSessions): void;
  /** The sessions whose view contains this user. */
  watchersOf(user: string): Iterable<UserSessions>;
  /** Handles a change of peers, for all sessions that watch their users. */
  onBusMessage(message: Extract<BusMessage, { kind: "join" | "leave" }>): void;
  /** Handles a signal for a member. */
  onRelay(entry: SessionEntry, message: Extract<BusMessage, { kind: "relay" }>): void;
}

// Signals that may be queued for one user while the view is being read, in characters.
const maxQueuedSignals = 1024 * 1024;

/** Creates an empty index. */
export function createUserSessionsIndex(node: () => ClusterNode, trust: Trust): UserSessionsIndex {
  const byUser = new Map<string, UserSessions>();
  // By username: the sessions whose view contains that user.
  const watchers = new Map<string, Set<UserSessions>>();
  const reading = new Set<UserSessions>();

  function create(user: string): UserSessions {
    const sessions: UserSessions = {
      ...{ user, entries: new Map<string, SessionEntry>(), view: emptyView(), queued: undefined, queuedSize: 0 },
      refresh: coalesce(() => reload(sessions)),
    };
    byUser.set(user, sessions);
    return sessions;
  }

  async function reload(sessions: UserSessions): Promise<void> {
    const queued: BusMessage[] = [];
    sessions.queued = queued;
    sessions.queuedSize = 0;
    reading.add(sessions);
    let after: PresenceView | undefined;
    try {
      after = await readView(sessions);
    } finally {
      reading.delete(sessions);
      sessions.queued = undefined;
      if (after) replaceView(sessions, after, queued);
      for (const message of queued) if (!after || message.kind === "relay") handleMessage(sessions, message);
    }
  }

  async function readView({ user, view }: UserSessions): Promise<PresenceView> {
    const names = new Map(await trust.of(user)).set(user, us);
    const { logins, complete } = await node().online([...names.keys()]);
    const peers = new Map(logins.map((login) => [login.id, login]));
    if (complete) return { names, peers };
    // Keep the known peers of nodes that cannot be asked now.
    for (const login of view.peers.values())
      if (names.has(login.user) && login.node !== node().id && !peers.has(login.id)) peers.set(login.id, login);
    return { names, peers };
  }

  /** Replaces the view by a newly read one, after applying the messages that arrived meanwhile. */
  function replaceView(sessions: UserSessions, after: PresenceView, queued: readonly BusMessage[]): void {
    for (const message of queued) applyMessage(after, message);
    const before = sessions.view;
    sessions.view = after;
    watch(sessions, before, after);
    sendEvents(sessions, difference(before, after));
  }

  function watch(sessions: UserSessions, before: PresenceView, after: PresenceView): void {
    for (const user of before.names.keys()) if (!after.names.has(user)) unwatch(sessions, user);
    // The last session may have closed during the reload.
    if (byUser.get(sessions.user) !== sessions) return;
    for (const user of after.names.keys()) watchers.set(user, (watchers.get(user) ?? new Set()).add(sessions));
  }

  function unwatch(sessions: UserSessions, user: string): void {
    const remaining = watchers.get(user);
    remaining?.delete(sessions);
    if (remaining?.size === 0) watchers.delete(user);
  }

  /** Handles a message now, or queues it while the view is being read. */
  function handleMessage(sessions: UserSessions, message: BusMessage): void {
    if (sessions.queued) enqueue(sessions, sessions.queued, message);
    else if (message.kind === "relay") deliverSignal(sessions, message);
    else sendEvents(sessions, applyMessage(sessions.view, message));
  }

  function enqueue(sessions: UserSessions, queued: BusMessage[], message: BusMessage): void {
    if (message.kind === "relay") {
      sessions.queuedSize += JSON.stringify(message).length;
      // Dropped: clients repeat their signals.
      if (sessions.queuedSize > maxQueuedSignals) return;
    }
    queued.push(message);
  }

  function deliverSignal(
    sessions: UserSessions,
    { to, type, from, signal }: Extract<BusMessage, { kind: "relay" }>,
  ): void {
    const entry = sessions.entries.get(to);
    if (!entry?.ready || !sessions.view.names.has(from.user)) return;
    // The sender is online, even if the message that announced it was lost.
    sendEvents(sessions, join(sessions.view, from));
    entry.member.send(encode(type, { from: from.id, signal }));
  }

  return {
    getOrCreate: (user) => byUser.get(user) ?? create(user),
    get: (user) => byUser.get(user),
    all: () => byUser.values(),
    delete(sessions) {
      byUser.delete(sessions.user);
      for (const user of sessions.view.names.keys()) unwatch(sessions, user);
    },
    watchersOf: (user) => watchers.get(user) ?? [],
    onBusMessage(message) {
      const logins = message.kind === "join" ? [message.login] : message.logins;
      const affected = new Set(reading);
      for (const { user } of logins) for (const sessions of watchers.get(user) ?? []) affected.add(sessions);
      for (const sessions of affected) handleMessage(sessions, message);
    },
    onRelay: ({ userSessions }, message) => handleMessage(userSessions, message),
  };
}

function applyMessage(view: PresenceView, message: BusMessage): readonly PresenceEvent[] {
  if (message.kind === "join") return join(view, message.login);
  if (message.kind === "leave") return message.logins.flatMap((login) => leave(view, login, message.lost));
  return [];
}

function sendEvents({ entries }: UserSessions, events: readonly PresenceEvent[]): void {
  const ready = [...entries.values()].filter((entry) => entry.ready);
  if (ready.length === 0) return;
  for (const event of events) {
    const about =
      event.type === "peerConnect" ? event.data.id : event.type === "peerDisconnect" ? event.data : undefined;
    const frame = JSON.stringify(event);
    for (const { member } of ready) if (member.id !== about) member.send(frame);
  }
}
