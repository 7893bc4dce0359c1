import type { BusMessage, ClusterNode, Login } from "./cluster/cluster.ts";
import { coalesced } from "./coalesced.ts";
import { encode } from "./frames.ts";
import type { Trust } from "./trust.ts";
import { come, difference, emptyView, go, type News, us, type View } from "./view.ts";

/** One signed-in socket, as presence sees it. */
export interface Member {
  readonly id: string;
  readonly user: string;
  /** The first lists. Nothing is told before them. */
  welcome(lists: Lists): void;
  tell(frame: string): void;
  /** A newer socket has its session, or its session has ended. Nothing is told after. */
  end(why: "taken" | "revoked"): void;
}

/** What a client learns at sign-in. */
export interface Lists {
  /** Nobody was told that this peer had gone. */
  readonly resumed: boolean;
  readonly users: readonly string[];
  readonly peers: readonly { readonly name: string; readonly id: string }[];
}

/** A member's place on this node. */
export interface Entry {
  readonly member: Member;
  readonly login: Login;
  readonly circle: Circle;
  /** It has its lists, and a socket. */
  ready: boolean;
  stopGrace: (() => void) | undefined;
}

/** All logins of one user on this node. They share what they have been told. */
export interface Circle {
  readonly user: string;
  /** By peer id. */
  readonly entries: Map<string, Entry>;
  view: View;
  /** Messages that came while the view was being read; undefined at rest. */
  heard: BusMessage[] | undefined;
  /** How long the signals among them are, as JSON. */
  heardSize: number;
  /** Reads trust and presence again, and tells the difference. What it reads is not older than the call. */
  refresh(): Promise<void>;
}

/** The circles of this node, kept up to date by what they hear. */
export interface Circles {
  /** Made when missing; `forget` it when nobody is in it. */
  of(user: string): Circle;
  find(user: string): Circle | undefined;
  all(): Iterable<Circle>;
  forget(circle: Circle): void;
  /** Those whose view shows this user. */
  watching(user: string): Iterable<Circle>;
  /** News of peers, for all circles that are concerned. */
  hear(message: Extract<BusMessage, { kind: "come" | "go" }>): void;
  /** A signal for one of these members. */
  pass(entry: Entry, message: Extract<BusMessage, { kind: "relay" }>): void;
}

// Of signals that wait for one circle's view to be read, in characters.
const mostHeard = 1024 * 1024;

/** No circles yet. */
export function createCircles(node: () => ClusterNode, trust: Trust): Circles {
  const circles = new Map<string, Circle>();
  // By username: the circles whose view shows that user.
  const watchers = new Map<string, Set<Circle>>();
  const reading = new Set<Circle>();

  function make(user: string): Circle {
    const circle: Circle = {
      ...{ user, entries: new Map<string, Entry>(), view: emptyView(), heard: undefined, heardSize: 0 },
      refresh: coalesced(() => read(circle)),
    };
    circles.set(user, circle);
    return circle;
  }

  async function read(circle: Circle): Promise<void> {
    const heard: BusMessage[] = [];
    circle.heard = heard;
    circle.heardSize = 0;
    reading.add(circle);
    let after: View | undefined;
    try {
      after = await fresh(circle);
    } finally {
      reading.delete(circle);
      circle.heard = undefined;
      if (after) show(circle, after, heard);
      for (const message of heard) if (!after || message.kind === "relay") take(circle, message);
    }
  }

  async function fresh({ user, view }: Circle): Promise<View> {
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
  function show(circle: Circle, after: View, heard: readonly BusMessage[]): void {
    for (const message of heard) learn(after, message);
    const before = circle.view;
    circle.view = after;
    watch(circle, before, after);
    tell(circle, difference(before, after));
  }

  function watch(circle: Circle, before: View, after: View): void {
    for (const user of before.names.keys()) if (!after.names.has(user)) unwatch(circle, user);
    // A circle that emptied while it was being read is no longer anybody's.
    if (circles.get(circle.user) !== circle) return;
    for (const user of after.names.keys()) watchers.set(user, (watchers.get(user) ?? new Set()).add(circle));
  }

  function unwatch(circle: Circle, user: string): void {
    const left = watchers.get(user);
    left?.delete(circle);
    if (left?.size === 0) watchers.delete(user);
  }

  /** Hears a message, now or when the view has been read. */
  function take(circle: Circle, message: BusMessage): void {
    if (circle.heard) wait(circle, circle.heard, message);
    else if (message.kind === "relay") relay(circle, message);
    else tell(circle, learn(circle.view, message));
  }

  function wait(circle: Circle, heard: BusMessage[], message: BusMessage): void {
    if (message.kind === "relay") {
      circle.heardSize += JSON.stringify(message).length;
      // Dropped: signals are made to be said again.
      if (circle.heardSize > mostHeard) return;
    }
    heard.push(message);
  }

  function relay(circle: Circle, { to, type, from, signal }: Extract<BusMessage, { kind: "relay" }>): void {
    const entry = circle.entries.get(to);
    if (!entry?.ready || !circle.view.names.has(from.user)) return;
    // Whoever sends is online, even where the word of it was lost.
    tell(circle, come(circle.view, from));
    entry.member.tell(encode(type, { from: from.id, signal }));
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
    hear(message) {
      const logins = message.kind === "come" ? [message.login] : message.logins;
      const concerned = new Set(reading);
      for (const { user } of logins) for (const circle of watchers.get(user) ?? []) concerned.add(circle);
      for (const circle of concerned) take(circle, message);
    },
    pass: ({ circle }, message) => take(circle, message),
  };
}

function learn(view: View, message: BusMessage): readonly News[] {
  if (message.kind === "come") return come(view, message.login);
  if (message.kind === "go") return message.logins.flatMap((login) => go(view, login, message.lost));
  return [];
}

function tell({ entries }: Circle, news: readonly News[]): void {
  const ready = [...entries.values()].filter((entry) => entry.ready);
  if (ready.length === 0) return;
  for (const one of news) {
    const about = one.type === "peerConnect" ? one.data.id : one.type === "peerDisconnect" ? one.data : undefined;
    const frame = JSON.stringify(one);
    for (const { member } of ready) if (member.id !== about) member.tell(frame);
  }
}
