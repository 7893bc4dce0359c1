import { type Clock, every } from "./clock.ts";
import type { BusMessage, Cluster, ClusterNode, Login } from "./cluster/cluster.ts";
import { coalesced } from "./coalesced.ts";
import { encode } from "./frames.ts";
import type { ServerLimits } from "./limits.ts";
import type { Log } from "./log.ts";
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

type RelayType = "peerRequest" | "peerResponse";

/** Who is online on this node, and who is told what of whom. */
export interface Presence {
  /** Takes the member's peer over and tells everybody concerned. False: `valid` said that its session ended meanwhile. */
  enter(member: Member, valid: () => Promise<boolean>): Promise<boolean>;
  /** The member's socket broke: its peer is announced as lost if nobody takes over within the grace. */
  lose(member: Member): void;
  /** The member has said goodbye: its peer is announced as gone at once. */
  leave(member: Member): Promise<void>;
  /** False: the member may not talk to `to`, or there is no such peer. True promises nothing. */
  relay(member: Member, type: RelayType, to: string, signal: unknown): boolean;
  /** Reads again whom these users trust; resolves once everybody on this node has been told. `named`: and whom they name. */
  trustChanged(users: readonly string[], named?: boolean): Promise<void>;
  /** Ends all logins of a user on all nodes, but for the peer `keep`. */
  revoke(user: string, keep?: string): void;
  /** How many logins a user has on this node, beside the peer `id`. */
  others(user: string, id: string): number;
  /** The peers that this node holds. */
  ids(): readonly string[];
  readonly node: ClusterNode;
  close(): Promise<void>;
}

/** What presence stands on. */
export interface PresenceParts {
  readonly cluster: Cluster;
  readonly trust: Trust;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: Pick<ServerLimits, "grace" | "resync">;
  /** Which of these peers' sessions still exist. */
  readonly sessionsOf: (peers: readonly string[]) => Promise<ReadonlySet<string>>;
}

interface Entry {
  readonly member: Member;
  readonly login: Login;
  readonly circle: Circle;
  /** Has its lists, and a socket. */
  ready: boolean;
  stopGrace: (() => void) | undefined;
}

/** All logins of one user on this node. They share what they have been told. */
interface Circle {
  readonly user: string;
  readonly entries: Set<Entry>;
  view: View;
  /** Messages that came while the view was being read; undefined at rest. */
  heard: BusMessage[] | undefined;
  refresh(): Promise<void>;
}

/** Joins the cluster. Rejects when that is out of reach. */
export async function createPresence(parts: PresenceParts): Promise<Presence> {
  const { trust, clock, log } = parts;
  const entries = new Map<string, Entry>();
  const circles = new Map<string, Circle>();
  // By username: the circles whose view shows that user.
  const watching = new Map<string, Set<Circle>>();
  const reading = new Set<Circle>();
  const resync = coalesced(readEverything);
  let closed = false;

  const node = await parts.cluster.join({ message: receive, stale: () => background(resync()) });
  const stopResync = every(clock, parts.limits.resync, () => resync().catch(complain));

  function complain(error: unknown): void {
    log.error({ error }, "presence could not be read; it will be tried again");
  }

  function background(work: Promise<unknown>): void {
    work.catch(complain);
  }

  // ── circles ──

  function circleOf(user: string): Circle {
    const known = circles.get(user);
    if (known) return known;
    const circle: Circle = {
      user,
      entries: new Set(),
      view: emptyView(),
      heard: undefined,
      refresh: coalesced(() => read(circle)),
    };
    circles.set(user, circle);
    return circle;
  }

  async function read(circle: Circle): Promise<void> {
    const heard: BusMessage[] = [];
    circle.heard = heard;
    reading.add(circle);
    let after = circle.view;
    try {
      after = await fresh(circle);
    } finally {
      reading.delete(circle);
      circle.heard = undefined;
      if (after === circle.view) for (const message of heard) hear(circle, message);
      else show(circle, after, heard);
    }
  }

  async function fresh({ user, view }: Circle): Promise<View> {
    const names = new Map(await trust.of(user)).set(user, us);
    const { logins, complete } = await node.online([...names.keys()]);
    const peers = new Map(logins.map((login) => [login.id, login]));
    if (!complete)
      for (const login of view.peers.values())
        if (names.has(login.user) && login.node !== node.id && !peers.has(login.id)) peers.set(login.id, login);
    return { names, peers };
  }

  function show(circle: Circle, after: View, heard: readonly BusMessage[]): void {
    for (const message of heard) {
      if (message.kind === "come") come(after, message.login);
      if (message.kind === "go") for (const login of message.logins) go(after, login, message.lost);
    }
    const before = circle.view;
    circle.view = after;
    watch(circle, before.names.keys(), after.names);
    tell(circle, difference(before, after));
    for (const message of heard) if (message.kind === "relay") hear(circle, message);
  }

  function watch(circle: Circle, before: Iterable<string>, after: ReadonlyMap<string, string>): void {
    for (const user of before) {
      if (after.has(user)) continue;
      const circlesOfUser = watching.get(user);
      circlesOfUser?.delete(circle);
      if (circlesOfUser?.size === 0) watching.delete(user);
    }
    // A circle that emptied while it was being read is no longer anybody's.
    if (circles.get(circle.user) !== circle) return;
    for (const user of after.keys()) {
      const circlesOfUser = watching.get(user) ?? new Set();
      watching.set(user, circlesOfUser.add(circle));
    }
  }

  function tell(circle: Circle, news: readonly News[]): void {
    for (const one of news) {
      const about = one.type === "peerConnect" ? one.data.id : one.type === "peerDisconnect" ? one.data : undefined;
      const frame = JSON.stringify(one);
      for (const { ready, member } of circle.entries) if (ready && member.id !== about) member.tell(frame);
    }
  }

  // ── what is heard, from other nodes and from this one ──

  function receive(message: BusMessage): void {
    switch (message.kind) {
      case "come":
        toWatchers([message.login.user], message);
        break;
      case "go":
        toWatchers(new Set(message.logins.map(({ user }) => user)), message);
        break;
      case "relay": {
        const circle = entries.get(message.to)?.circle;
        if (circle) hearOrKeep(circle, message);
        break;
      }
      case "taken": {
        const entry = entries.get(message.id);
        if (entry?.login.epoch === message.epoch) end(entry, "taken");
        break;
      }
      case "trust":
        background(reread(message.users, message.named));
        break;
      case "revoke":
        revokeHere(message.user, message.keep);
        break;
      case "stale":
        background(resync());
    }
  }

  function toWatchers(users: Iterable<string>, message: BusMessage): void {
    const concerned = new Set(reading);
    for (const user of users) for (const circle of watching.get(user) ?? []) concerned.add(circle);
    for (const circle of concerned) hearOrKeep(circle, message);
  }

  function hearOrKeep(circle: Circle, message: BusMessage): void {
    if (circle.heard) circle.heard.push(message);
    else hear(circle, message);
  }

  function hear(circle: Circle, message: BusMessage): void {
    const { view } = circle;
    if (message.kind === "come") tell(circle, come(view, message.login));
    if (message.kind === "go") for (const login of message.logins) tell(circle, go(view, login, message.lost));
    if (message.kind !== "relay" || !view.names.has(message.from.user)) return;
    const entry = entries.get(message.to);
    if (!entry?.ready) return;
    // Whoever sends is online, even where the word of it was lost.
    tell(circle, come(view, message.from));
    entry.member.tell(encode(message.type, { from: message.from.id, signal: message.signal }));
  }

  function spread(message: BusMessage, logins: Iterable<Login>): void {
    const nodes = new Set<string>();
    for (const login of logins) nodes.add(login.node);
    nodes.delete(node.id);
    for (const other of nodes) node.send(other, message);
    receive(message);
  }

  // ── coming and going ──

  async function enter(member: Member, valid: () => Promise<boolean>): Promise<boolean> {
    const { login, resumed } = await node.claim(member.user, member.id);
    const earlier = entries.get(member.id);
    if (earlier && earlier.login.epoch > login.epoch) {
      member.end("taken");
      return true;
    }
    if (earlier) end(earlier, "taken");
    const circle = circleOf(member.user);
    const entry: Entry = { member, login, circle, ready: false, stopGrace: undefined };
    entries.set(member.id, entry);
    circle.entries.add(entry);
    try {
      // After the claim: whoever ends the session, or its trust, from now on finds this node by the claim.
      if (!(await valid())) {
        await depart(entry, false);
        return false;
      }
      await circle.refresh();
    } catch (error) {
      await depart(entry, true);
      throw error;
    }
    if (entries.get(member.id) === entry) admit(entry, resumed);
    return true;
  }

  function admit(entry: Entry, resumed: boolean): void {
    const { member, login, circle } = entry;
    const { names, peers } = circle.view;
    const others = [...peers.values()].filter(({ id }) => id !== member.id);
    member.welcome({
      resumed,
      users: [...names].filter(([user]) => user !== member.user).map(([, name]) => name),
      peers: others.map(({ id, user }) => ({ name: names.get(user)!, id })),
    });
    entry.ready = true;
    spread({ kind: "come", login }, others);
  }

  /** Forgets an entry here; false where something else has done so before. */
  function drop(entry: Entry): boolean {
    const { member, circle } = entry;
    if (entries.get(member.id) !== entry) return false;
    entries.delete(member.id);
    entry.ready = false;
    entry.stopGrace?.();
    circle.entries.delete(entry);
    if (circle.entries.size === 0) {
      circles.delete(circle.user);
      watch(circle, circle.view.names.keys(), new Map());
    }
    return true;
  }

  function end(entry: Entry, why: "taken" | "revoked"): void {
    if (drop(entry)) entry.member.end(why);
  }

  async function depart(entry: Entry, lost: boolean): Promise<void> {
    if (!drop(entry)) return;
    if (!(await node.release(entry.login))) return;
    // Read after the release: whoever has seen this peer came before it, and is found.
    const { logins } = await node.online([entry.login.user, ...entry.circle.view.names.keys()]);
    spread({ kind: "go", logins: [entry.login], lost }, logins);
  }

  function revokeHere(user: string, keep: string | undefined): void {
    for (const entry of circles.get(user)?.entries ?? []) if (entry.member.id !== keep) revokeOne(entry);
  }

  function revokeOne(entry: Entry): void {
    entry.member.end("revoked");
    background(depart(entry, false));
  }

  // ── reading again ──

  async function reread(users: readonly string[], named: boolean): Promise<void> {
    const concerned = new Set<Circle | undefined>(users.map((user) => circles.get(user)));
    for (const user of users) {
      trust.forget(user);
      if (!named) continue;
      for (const circle of watching.get(user) ?? []) concerned.add(circle);
      for (const other of await trust.named(user)) concerned.add(circles.get(other));
    }
    await Promise.all([...concerned].map((circle) => circle?.refresh()));
  }

  async function readEverything(): Promise<void> {
    const asked = [...entries.values()].filter(({ ready }) => ready);
    const alive = await parts.sessionsOf(asked.map(({ member }) => member.id));
    for (const entry of asked) if (!alive.has(entry.member.id)) revokeOne(entry);
    for (const circle of circles.values()) await circle.refresh();
  }

  return {
    enter,
    lose(member) {
      const entry = entries.get(member.id);
      if (closed || entry?.member !== member || entry.stopGrace) return;
      entry.ready = false;
      entry.stopGrace = clock.after(parts.limits.grace, () => background(depart(entry, true)));
    },
    async leave(member) {
      const entry = entries.get(member.id);
      if (entry?.member === member) await depart(entry, false);
    },
    relay(member, type, to, signal) {
      const entry = entries.get(member.id);
      const known = entry?.circle.view.peers.get(to);
      if (entry?.member !== member || known === undefined || to === member.id) return false;
      const message: BusMessage = { kind: "relay", type, to, from: entry.login, signal };
      if (known.node === node.id) receive(message);
      else node.send(known.node, message);
      return true;
    },
    async trustChanged(users, named = false) {
      node.broadcast({ kind: "trust", users: [...users], named });
      await reread(users, named);
    },
    revoke(user, keep) {
      node.broadcast({ kind: "revoke", user, keep });
      revokeHere(user, keep);
    },
    others(user, id) {
      const all = [...(circles.get(user)?.entries ?? [])];
      return all.filter(({ member }) => member.id !== id).length;
    },
    ids: () => [...entries.keys()],
    node,
    async close() {
      closed = true;
      stopResync();
      for (const entry of entries.values()) entry.stopGrace?.();
      await node.leave();
    },
  };
}
