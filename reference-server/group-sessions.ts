import { us } from "../core/protocol/alias.ts";
import type { ToClient } from "../core/protocol/messages.ts";
import type { BusMessage, ClusterNode, Login } from "./cluster/cluster.ts";
import { coalesce } from "./coalesce.ts";
import { encode } from "./frames.ts";
import { accountGroup } from "./groups.ts";
import { difference, emptyView, join, leave, type PresenceEvent, type PresenceView } from "./presence-view.ts";
import type { ProfileUpdates } from "./profile-updates.ts";
import type { Trust } from "./trust.ts";

/** One signed-in socket. */
export interface Member {
  readonly id: string;
  /** The address of its client. */
  readonly address: string;
  readonly app: string;
  /** Its peers see each other. */
  readonly group: string;
  /** Its account. Undefined in a room, whose peers see nobody else. */
  readonly user: string | undefined;
  /** Its name in a room. Undefined for an account, which has an alias at each other account. */
  readonly name: string | undefined;
  /** The JSON of its profile when it signed in; undefined for `{}`. */
  readonly profile: string | undefined;
  /** Sends it the profiles of others that have changed. Undefined for a client without profiles. */
  readonly updates: ProfileUpdates | undefined;
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
  readonly peers: ToClient["peerList"];
}

/** A message from one peer to another. */
export type PeerMessage = Extract<BusMessage, { kind: "relay" | "relayOffer" }>;

/** A member and its state on this node. */
export interface SessionEntry {
  readonly member: Member;
  /** With the newest profile. */
  login: Login;
  readonly groupSessions: GroupSessions;
  /** The member has received its lists and has an open socket. */
  ready: boolean;
  stopGrace: (() => void) | undefined;
  /** The JSON of the profile that is announced next. */
  nextProfile?: string | undefined;
  /** Set while another announcement would be too early. */
  stopProfileTimer?: (() => void) | undefined;
}

/** All sessions of one group on this node. They share one view of presence. */
export interface GroupSessions extends Pick<Member, "app" | "group" | "user"> {
  /** By peer id. */
  readonly entries: Map<string, SessionEntry>;
  view: PresenceView;
  /** Messages that arrived while the view is being read; undefined otherwise. */
  queued: BusMessage[] | undefined;
  /** The size of the queued messages of peers, in characters of JSON. */
  queuedSize: number;
  /** Reads trust and presence again and sends the changes. The data it reads is not older than the call. */
  refresh(): Promise<void>;
}

/**
 * The sessions of this node by group, with an index from each group to the sessions that watch it.
 *
 * Each group has one view: the groups of trusted users with their aliases, and online peers. A reload reads trust and presence,
 * which takes time. Bus messages that arrive meanwhile are queued and applied to the new view when it is complete. Then the
 * difference between the two views is sent. Epochs make this safe: an older message never overrides newer state.
 */
export interface GroupSessionsIndex {
  /** Creates the sessions of a member's group if missing. The caller deletes them when the last entry has gone. */
  getOrCreate(member: Member): GroupSessions;
  get(group: string): GroupSessions | undefined;
  /** The sessions of a user in all apps. */
  ofUser(user: string): Iterable<GroupSessions>;
  all(): Iterable<GroupSessions>;
  delete(sessions: GroupSessions): void;
  /** The sessions whose view contains this user, in all apps. */
  watchersOf(user: string): Iterable<GroupSessions>;
  /** Handles a change of peers, for all sessions that watch their groups. */
  onBusMessage(message: Extract<BusMessage, { kind: "join" | "leave" }>): void;
  /** Handles a message of another peer for a member. */
  onPeerMessage(entry: SessionEntry, message: PeerMessage): void;
  /** Reads the groups that a group sees now: those of trusted users with their aliases, and its own as `"Us"`. */
  visibleGroups(group: Pick<Member, "app" | "group" | "user">): Promise<ReadonlyMap<string, string>>;
}

// Messages of peers that may be queued for one group while the view is being read, in characters.
const maxQueuedSize = 1024 * 1024;

/** Creates an empty index. */
export function createGroupSessionsIndex(node: () => ClusterNode, trust: Trust): GroupSessionsIndex {
  const byGroup = new Map<string, GroupSessions>();
  // By user: the sessions of its groups, one for each app.
  const byUser = new Map<string, Set<GroupSessions>>();
  // By app: the number of users' groups.
  const apps = new Map<string, number>();
  // By group: the sessions whose view contains that group.
  const watchers = new Map<string, Set<GroupSessions>>();
  const reading = new Set<GroupSessions>();

  function create({ app, group, user }: Member): GroupSessions {
    const sessions: GroupSessions = {
      ...{ app, group, user, entries: new Map<string, SessionEntry>() },
      ...{ view: emptyView(), queued: undefined, queuedSize: 0 },
      refresh: coalesce(() => reload(sessions)),
    };
    byGroup.set(group, sessions);
    if (user !== undefined) {
      addTo(byUser, user, sessions);
      apps.set(app, (apps.get(app) ?? 0) + 1);
    }
    // Before the first reload: a message that arrives meanwhile concerns this group, and no reload of another group.
    addTo(watchers, group, sessions);
    return sessions;
  }

  async function reload(sessions: GroupSessions): Promise<void> {
    const queued: BusMessage[] = [];
    sessions.queued = queued;
    sessions.queuedSize = 0;
    // The groups that a room watches never change.
    if (sessions.user !== undefined) reading.add(sessions);
    let after: PresenceView | undefined;
    try {
      after = await readView(sessions);
    } finally {
      reading.delete(sessions);
      sessions.queued = undefined;
      if (after) replaceView(sessions, after, queued);
      for (const message of queued) if (!after || isPeerMessage(message)) handleMessage(sessions, message);
    }
  }

  async function visibleGroups({ app, group, user }: Pick<Member, "app" | "group" | "user">) {
    const trusted = user === undefined ? [] : await trust.of(user);
    return new Map([...trusted].map(([other, alias]) => [accountGroup(app, other), alias])).set(group, us);
  }

  async function readView(sessions: GroupSessions): Promise<PresenceView> {
    const { view } = sessions;
    const names = await visibleGroups(sessions);
    const { logins, complete } = await node().online([...names.keys()]);
    const peers = new Map(logins.map((login) => [login.id, login]));
    if (complete) return { names, peers };
    // Keep the known peers of nodes that cannot be asked now.
    for (const login of view.peers.values())
      if (names.has(login.group) && login.node !== node().id && !peers.has(login.id)) peers.set(login.id, login);
    return { names, peers };
  }

  /** Replaces the view by a newly read one, after applying the messages that arrived meanwhile. */
  function replaceView(sessions: GroupSessions, after: PresenceView, queued: readonly BusMessage[]): void {
    for (const message of queued) applyMessage(after, message);
    const before = sessions.view;
    sessions.view = after;
    watch(sessions, before, after);
    sendEvents(sessions, difference(before, after));
  }

  function watch(sessions: GroupSessions, before: PresenceView, after: PresenceView): void {
    for (const group of before.names.keys()) if (!after.names.has(group)) removeFrom(watchers, group, sessions);
    // The last session may have closed during the reload.
    if (byGroup.get(sessions.group) !== sessions) return;
    for (const group of after.names.keys()) addTo(watchers, group, sessions);
  }

  /** Handles a message now, or queues it while the view is being read. */
  function handleMessage(sessions: GroupSessions, message: BusMessage): void {
    if (sessions.queued) enqueue(sessions, sessions.queued, message);
    else if (isPeerMessage(message)) deliver(sessions, message);
    else sendEvents(sessions, applyMessage(sessions.view, message));
  }

  function enqueue(sessions: GroupSessions, queued: BusMessage[], message: BusMessage): void {
    if (isPeerMessage(message)) {
      sessions.queuedSize += JSON.stringify(message).length;
      // Dropped: clients repeat their signals.
      if (sessions.queuedSize > maxQueuedSize) return;
    }
    queued.push(message);
  }

  function deliver(sessions: GroupSessions, message: PeerMessage): void {
    const { from } = message;
    const entry = sessions.entries.get(message.to);
    if (!entry?.ready || !sessions.view.names.has(from.group)) return;
    // The sender is online, even if the message that announced it was lost.
    sendEvents(sessions, join(sessions.view, from));
    entry.member.send(frameOf(message));
  }

  return {
    getOrCreate: (member) => byGroup.get(member.group) ?? create(member),
    get: (group) => byGroup.get(group),
    ofUser: (user) => byUser.get(user) ?? [],
    all: () => byGroup.values(),
    delete(sessions) {
      const { app, group, user, view } = sessions;
      byGroup.delete(group);
      for (const watched of [group, ...view.names.keys()]) removeFrom(watchers, watched, sessions);
      if (user === undefined) return;
      removeFrom(byUser, user, sessions);
      const left = (apps.get(app) ?? 1) - 1;
      if (left > 0) apps.set(app, left);
      else apps.delete(app);
    },
    watchersOf: (user) => [...apps.keys()].flatMap((app) => [...(watchers.get(accountGroup(app, user)) ?? [])]),
    onBusMessage(message) {
      const logins = message.kind === "join" ? [message.login] : message.logins;
      const affected = new Set(reading);
      for (const { group } of logins) for (const sessions of watchers.get(group) ?? []) affected.add(sessions);
      for (const sessions of affected) handleMessage(sessions, message);
    },
    onPeerMessage: ({ groupSessions }, message) => handleMessage(groupSessions, message),
    visibleGroups,
  };
}

function addTo<Item>(sets: Map<string, Set<Item>>, key: string, item: Item): void {
  sets.set(key, (sets.get(key) ?? new Set()).add(item));
}

function removeFrom<Item>(sets: Map<string, Set<Item>>, key: string, item: Item): void {
  const items = sets.get(key);
  items?.delete(item);
  if (items?.size === 0) sets.delete(key);
}

function isPeerMessage(message: BusMessage): message is PeerMessage {
  return message.kind === "relay" || message.kind === "relayOffer";
}

function frameOf(message: PeerMessage): string {
  const from = message.from.id;
  if (message.kind === "relay") return encode(message.type, { from, signal: message.signal });
  return encode("relayOffer", { from, url: message.url, ticket: message.ticket });
}

function applyMessage(view: PresenceView, message: BusMessage): readonly PresenceEvent[] {
  if (message.kind === "join") return join(view, message.login);
  if (message.kind === "leave") return message.logins.flatMap((login) => leave(view, login, message.lost));
  return [];
}

function sendEvents({ entries }: GroupSessions, events: readonly PresenceEvent[]): void {
  const ready = [...entries.values()].filter((entry) => entry.ready);
  if (ready.length === 0) return;
  for (const event of events) {
    const about = peerOf(event);
    if (event.type === "peerUpdate") {
      for (const { member } of ready) if (member.id !== about) member.updates?.add(event.id, event.profile);
      continue;
    }
    const frame = JSON.stringify(event);
    for (const { member } of ready) {
      if (member.id === about) continue;
      // The frame says more than an update that waits.
      if (about !== undefined) member.updates?.drop(about);
      member.send(frame);
    }
  }
}

/** The peer that an event is about. */
function peerOf(event: PresenceEvent): string | undefined {
  if (event.type === "peerUpdate") return event.id;
  if (event.type === "peerConnect") return event.data.id;
  return event.type === "peerDisconnect" ? event.data : undefined;
}
