import { us } from "../core/protocol/alias.ts";
import type { BusMessage, ClusterNode, Login } from "./cluster/cluster.ts";
import { coalesced } from "./coalesced.ts";
import { encode } from "./frames.ts";
import { difference, emptyView, join, leave, type PresenceEvent, type PresenceView } from "./presence-view.ts";
import type { Trust } from "./trust.ts";

/** One signed-in socket, as presence sees it. */
export interface Member {
  readonly id: string;
  readonly user: string;
  /** The first lists. Nothing is told before them. */
  sendLists(lists: SignInLists): void;
  send(frame: string): void;
  /** A newer socket has its session, or its session has ended. Nothing is told after. */
  end(why: "taken" | "revoked"): void;
}

/** What a client learns at sign-in. */
export interface SignInLists {
  /** Nobody was told that this peer had gone. */
  readonly resumed: boolean;
  readonly users: readonly string[];
  readonly peers: readonly { readonly name: string; readonly id: string }[];
}

/** A member's place on this node. */
export interface SessionEntry {
  readonly member: Member;
  readonly login: Login;
  readonly circle: UserSessions;
  /** It has its lists, and a socket. */
  ready: boolean;
  stopGrace: (() => void) | undefined;
}

/** All logins of one user on this node. They share what they have been told. */
export interface UserSessions {
  readonly user: string;
  /** By peer id. */
  readonly entries: Map<string, SessionEntry>;
  view: PresenceView;
  /** Messages that came while the view was being read; undefined at rest. */
  queued: BusMessage[] | undefined;
  /** How long the signals among them are, as JSON. */
  queuedSize: number;
  /** Reads trust and presence again, and tells the difference. What it reads is not older than the call. */
  refresh(): Promise<void>;
}

/** The circles of this node, kept up to date by what they hear. */
export interface UserSessionsIndex {
  /** Made when missing; `forget` it when nobody is in it. */
  of(user: string): UserSessions;
  find(user: string): UserSessions | undefined;
  all(): Iterable<UserSessions>;
  forget(circle: UserSessions): void;
  /** Those whose view shows this user. */
  watching(user: string): Iterable<UserSessions>;
  /** News of peers, for all circles that are concerned. */
  onBusMessage(message: Extract<BusMessage, { kind: "come" | "go" }>): void;
  /** A signal for one of these members. */
  pass(entry: SessionEntry, message: Extract<BusMessage, { kind: "relay" }>): void;
}

// Of signals that wait for one circle's view to be read, in characters.
const mostHeard = 1024 * 1024;

/** No circles yet. */
export function createUserSessionsIndex(node: () => ClusterNode, trust: Trust): UserSessionsIndex {
  const circles = new Map<string, UserSessions>();
  // By username: the circles whose view shows that user.
  const watchers = new Map<string, Set<UserSessions>>();
  const reading = new Set<UserSessions>();

  function make(user: string): UserSessions {
    const circle: UserSessions = {
      ...{ user, entries: new Map<string, SessionEntry>(), view: emptyView(), queued: undefined, queuedSize: 0 },
      refresh: coalesced(() => read(circle)),
    };
    circles.set(user, circle);
    return circle;
  }

  async function read(circle: UserSessions): Promise<void> {
    const heard: BusMessage[] = [];
    circle.queued = heard;
    circle.queuedSize = 0;
    reading.add(circle);
    let after: PresenceView | undefined;
    try {
      after = await fresh(circle);
    } finally {
      reading.delete(circle);
      circle.queued = undefined;
      if (after) show(circle, after, heard);
      for (const message of heard) if (!after || message.kind === "relay") take(circle, message);
    }
  }

  async function fresh({ user, view }: UserSessions): Promise<PresenceView> {
    const names = new Map(await trust.of(user)).set(user, us);
    const { logins, complete } = await node().online([...names.keys()]);
    const peers = new Map(logins.map((login) => [login.id, login]));
    if (complete) return { names, peers };
    // Who is on a node that cannot be asked is still there.
    for (const login of view.peers.values())
      if (names.has(login.user) && login.node !== node().id && !peers.has(login.id)) peers.set(login.id, login);
    return { names, peers };
  }

  /** Puts a view that was read in the place of the last, with what was heard since. */
  function show(circle: UserSessions, after: PresenceView, heard: readonly BusMessage[]): void {
    for (const message of heard) learn(after, message);
    const before = circle.view;
    circle.view = after;
    watch(circle, before, after);
    tell(circle, difference(before, after));
  }

  function watch(circle: UserSessions, before: PresenceView, after: PresenceView): void {
    for (const user of before.names.keys()) if (!after.names.has(user)) unwatch(circle, user);
    // A circle that emptied while it was being read is no longer anybody's.
    if (circles.get(circle.user) !== circle) return;
    for (const user of after.names.keys()) watchers.set(user, (watchers.get(user) ?? new Set()).add(circle));
  }

  function unwatch(circle: UserSessions, user: string): void {
    const left = watchers.get(user);
    left?.delete(circle);
    if (left?.size === 0) watchers.delete(user);
  }

  /** Hears a message, now or when the view has been read. */
  function take(circle: UserSessions, message: BusMessage): void {
    if (circle.queued) wait(circle, circle.queued, message);
    else if (message.kind === "relay") relay(circle, message);
    else tell(circle, learn(circle.view, message));
  }

  function wait(circle: UserSessions, heard: BusMessage[], message: BusMessage): void {
    if (message.kind === "relay") {
      circle.queuedSize += JSON.stringify(message).length;
      // Dropped: signals are made to be said again.
      if (circle.queuedSize > mostHeard) return;
    }
    heard.push(message);
  }

  function relay(circle: UserSessions, { to, type, from, signal }: Extract<BusMessage, { kind: "relay" }>): void {
    const entry = circle.entries.get(to);
    if (!entry?.ready || !circle.view.names.has(from.user)) return;
    // Whoever sends is online, even where the word of it was lost.
    tell(circle, join(circle.view, from));
    entry.member.send(encode(type, { from: from.id, signal }));
  }

  return {
    of: (user) => circles.get(user) ?? make(user),
    find: (user) => circles.get(user),
    all: () => circles.values(),
    forget(circle) {
      circles.delete(circle.user);
      for (const user of circle.view.names.keys()) unwatch(circle, user);
    },
    watching: (user) => watchers.get(user) ?? [],
    onBusMessage(message) {
      const logins = message.kind === "come" ? [message.login] : message.logins;
      const concerned = new Set(reading);
      for (const { user } of logins) for (const circle of watchers.get(user) ?? []) concerned.add(circle);
      for (const circle of concerned) take(circle, message);
    },
    pass: ({ circle }, message) => take(circle, message),
  };
}

function learn(view: PresenceView, message: BusMessage): readonly PresenceEvent[] {
  if (message.kind === "come") return join(view, message.login);
  if (message.kind === "go") return message.logins.flatMap((login) => leave(view, login, message.lost));
  return [];
}

function tell({ entries }: UserSessions, news: readonly PresenceEvent[]): void {
  const ready = [...entries.values()].filter((entry) => entry.ready);
  if (ready.length === 0) return;
  for (const one of news) {
    const about = one.type === "peerConnect" ? one.data.id : one.type === "peerDisconnect" ? one.data : undefined;
    const frame = JSON.stringify(one);
    for (const { member } of ready) if (member.id !== about) member.send(frame);
  }
}
