import { us } from "../core/protocol/alias.ts";
import { closeCode } from "../core/protocol/close-code.ts";
import type { SignalKind } from "../core/protocol/messages.ts";
import { profileIntervalMs } from "../core/protocol/profile.ts";
import { type Clock, every } from "./clock.ts";
import type { BusMessage, Cluster, ClusterNode, Login } from "./cluster/cluster.ts";
import { coalesce } from "./coalesce.ts";
import {
  createGroupSessionsIndex,
  type GroupSessions,
  type Member,
  type PeerMessage,
  type SessionEntry,
} from "./group-sessions.ts";
import type { ServerLimits } from "./limits.ts";
import type { Log } from "./log.ts";
import { peerIn } from "./presence-view.ts";
import { Refusal } from "./refusal.ts";
import type { Trust } from "./trust.ts";

/** The online peers of this node, and the announcements to their users. */
export interface Presence {
  /**
   * Takes over the member's peer and announces it. False if `valid` finds that its session has ended meanwhile. Rejects with
   * `rate-limited` when the user has too many sockets on this node, and with `busy` when the room is full.
   */
  join(member: Member, valid: () => Promise<boolean>): Promise<boolean>;
  /** The member's socket broke: its peer is announced as lost unless another socket takes it over within the grace period. */
  lose(member: Member): void;
  /** The member's page may be reloading: its peer is announced as gone unless another socket takes it over soon. */
  awaitReload(member: Member): void;
  /** The client has left: its peer is announced as gone at once. */
  leave(member: Member): Promise<void>;
  /** Changes the member's profile. Others learn of the newest, at most every 200 ms. `profile` is JSON, undefined for `{}`. */
  setProfile(member: Member, profile: string | undefined): void;
  /** Relays a signal. False if there is no such peer or no trust. True does not guarantee delivery. */
  relay(member: Member, type: SignalKind, to: string, signal: unknown): boolean;
  /** Sends one side's ticket of a relay to a peer. Returns its login; undefined where `relay` returns false. */
  offerRelay(member: Member, to: string, offer: { readonly url: string; readonly ticket: string }): Login | undefined;
  /** Whether a member may reach the peers of a group, by the trust that is stored now. */
  mayReach(member: Pick<Member, "app" | "group" | "user">, group: string): Promise<boolean>;
  /**
   * Calls `listener` with every change of presence, sessions and trust, on any node, when it has taken effect here. `stale`:
   * messages may have been missed.
   */
  observe(listener: (message: BusMessage) => void): void;
  /**
   * Reads the trust of these users again; resolves when the clients of this node have received the changes. `named`: also
   * reloads the users whom they name.
   */
  trustChanged(users: readonly string[], named?: boolean): Promise<void>;
  /** Ends all sessions of a user on all nodes, except the peer `keep`. */
  revoke(user: string, keep?: string): void;
  /** Ends the sessions of this node that match; returns whether there were any. */
  evict(matches: (member: Member) => boolean): boolean;
  /** Ends the sessions of these peers on all nodes. */
  endSessions(peers: readonly string[]): void;
  /** Reads all sessions, trust and presence again, and ends what has ended. */
  reload(): Promise<void>;
  /** The ids of the peers of this node. */
  ids(): readonly string[];
  /** The ids of those in rooms. */
  guestIds(): readonly string[];
  readonly node: ClusterNode;
  close(): Promise<void>;
}

/** Dependencies of {@link Presence}. */
export interface PresenceParts {
  readonly cluster: Cluster;
  readonly trust: Trust;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: Pick<ServerLimits, "grace" | "reloadGrace" | "resync" | "socketsPerAccount" | "peersPerRoom">;
  /** Returns those of these peers whose sessions still exist. */
  readonly sessionsOf: (peers: readonly string[]) => Promise<ReadonlySet<string>>;
}

/** Joins the cluster. Rejects when it is unreachable. */
export async function createPresence(parts: PresenceParts): Promise<Presence> {
  const { trust, clock, log } = parts;
  const entries = new Map<string, SessionEntry>();
  const groupSessionsIndex = createGroupSessionsIndex(() => node, trust);
  const resync = coalesce(reloadAll);
  let closed = false;
  let observer = (_: BusMessage) => {};
  const node = await parts.cluster.join({ message: onMessage, stale: onStale });
  const stopResync = every(clock, parts.limits.resync, () => resync().catch(logError));

  function onStale(): void {
    if (closed) return;
    // A lost message may have been a refresh of trust.
    trust.invalidate();
    inBackground(resync());
  }

  function logError(error: unknown): void {
    log.error({ error }, "presence cannot be read; retrying");
  }

  function inBackground(work: Promise<unknown>): void {
    work.catch(logError);
  }

  // ── messages from other nodes and from this one ──

  function onMessage(message: BusMessage): void {
    switch (message.kind) {
      case "join":
      case "leave":
        groupSessionsIndex.onBusMessage(message);
        observer(message);
        break;
      case "relay":
      case "relayOffer": {
        const entry = entries.get(message.to);
        if (entry) groupSessionsIndex.onPeerMessage(entry, message);
        break;
      }
      case "superseded": {
        const entry = entries.get(message.id);
        if (entry?.login.epoch === message.epoch) endEntry(entry, "superseded");
        break;
      }
      case "trust":
        inBackground(reloadTrust(message));
        break;
      case "revoke":
        revokeLocally(message.user, message.keep);
        observer(message);
        break;
      case "ended":
        endLocally(message.peers);
        observer(message);
        break;
      case "stale":
        onStale();
    }
  }

  function publish(message: BusMessage, logins: Iterable<Login>): void {
    const nodes = new Set<string>();
    for (const login of logins) nodes.add(login.node);
    nodes.delete(node.id);
    for (const other of nodes) node.send(other, message);
    onMessage(message);
  }

  /** Sends to all nodes, this one included. */
  function publishToAll(message: BusMessage): void {
    node.broadcast(message);
    onMessage(message);
  }

  /** Sends a message to a peer that the member sees, and returns that peer. */
  function sendToPeer(member: Member, to: string, messageFrom: (from: Login) => PeerMessage): Login | undefined {
    const entry = entries.get(member.id);
    const known = entry?.groupSessions.view.peers.get(to);
    if (entry?.member !== member || known === undefined || to === member.id) return undefined;
    const message = messageFrom(entry.login);
    if (known.node === node.id) onMessage(message);
    else node.send(known.node, message);
    return known;
  }

  // ── joining and leaving ──

  async function join(member: Member, valid: () => Promise<boolean>): Promise<boolean> {
    checkAccountLimit(member);
    // A full room costs nothing more: no claim, which the others could see for a moment.
    checkRoomLimit(member, groupSessionsIndex.get(member.group)?.view.peers.values() ?? []);
    const { login, resumed } = await node.claim(member.group, member.id, member.name, member.profile);
    const earlier = entries.get(member.id);
    if (earlier && earlier.login.epoch > login.epoch) {
      member.end("superseded");
      return true;
    }
    if (earlier) endEntry(earlier, "superseded");
    const entry = addEntry(member, login);
    try {
      // Again: many concurrent sign-ins may have passed the check before their claims.
      checkAccountLimit(member);
      // After the claim: from now on, an end of the session or of its trust reaches this node through the claim.
      if (!(await valid())) {
        await releaseEntry(entry, false);
        return false;
      }
      // Exact, because all nodes see the same claims in the same order.
      if (member.user === undefined && !resumed) {
        const { logins } = await node.online([member.group]);
        checkRoomLimit(
          member,
          logins.filter((other) => isEarlier(other, login)),
        );
      }
      await entry.groupSessions.refresh();
    } catch (error) {
      await releaseEntry(entry, true);
      throw error;
    }
    if (entries.get(member.id) === entry) announce(entry, resumed);
    return true;
  }

  function checkAccountLimit({ user, id }: Member): void {
    if (user === undefined) return;
    let others = 0;
    for (const { entries } of groupSessionsIndex.ofUser(user)) others += entries.size - Number(entries.has(id));
    if (others < parts.limits.socketsPerAccount) return;
    throw new Refusal("rate-limited", "This account is signed in too many times.", { close: closeCode.overloaded });
  }

  function checkRoomLimit({ id, user }: Member, others: Iterable<Login>): void {
    if (user !== undefined) return;
    const ids = new Set([...others].map((other) => other.id));
    if (ids.has(id) || ids.size < parts.limits.peersPerRoom) return;
    throw new Refusal("busy", "This room is full: try again later.", { close: closeCode.overloaded });
  }

  function addEntry(member: Member, login: Login): SessionEntry {
    const groupSessions = groupSessionsIndex.getOrCreate(member);
    const entry: SessionEntry = { member, login, groupSessions, ready: false, stopGrace: undefined };
    entries.set(member.id, entry);
    groupSessions.entries.set(member.id, entry);
    return entry;
  }

  function announce(entry: SessionEntry, resumed: boolean): void {
    const { member, login, groupSessions } = entry;
    const { names, peers } = groupSessions.view;
    const others = [...peers.values()].filter(({ id }) => id !== member.id);
    member.sendLists({
      resumed,
      users: [...names.values()].filter((name) => name !== us),
      peers: others.map((other) => peerIn(groupSessions.view, other)),
    });
    entry.ready = true;
    publish({ kind: "join", login }, others);
  }

  function announceProfile(entry: SessionEntry): void {
    entry.stopProfileTimer = undefined;
    const profile = entry.nextProfile;
    if (profile === entry.login.profile) return;
    entry.login = { ...entry.login, profile, revision: (entry.login.revision ?? 0) + 1 };
    entry.stopProfileTimer = clock.after(profileIntervalMs, () => announceProfile(entry));
    inBackground(publishProfile(entry, entry.login));
  }

  async function publishProfile(entry: SessionEntry, login: Login): Promise<void> {
    // Before the message: a node that reads the peers after the message finds this profile, not the last one.
    await node.update(login);
    // Otherwise the peer has gone, or a newer profile follows.
    if (entry.login === login && entries.get(login.id) === entry)
      publish({ kind: "join", login }, entry.groupSessions.view.peers.values());
  }

  /** Removes an entry from this node; false if it was removed before. */
  function removeEntry(entry: SessionEntry): boolean {
    const { member, groupSessions } = entry;
    if (entries.get(member.id) !== entry) return false;
    entries.delete(member.id);
    groupSessions.entries.delete(member.id);
    if (groupSessions.entries.size === 0) groupSessionsIndex.delete(groupSessions);
    entry.ready = false;
    entry.stopGrace?.();
    entry.stopProfileTimer?.();
    return true;
  }

  function endEntry(entry: SessionEntry, why: "superseded" | "revoked"): void {
    if (removeEntry(entry)) entry.member.end(why);
  }

  async function releaseEntry(entry: SessionEntry, lost: boolean): Promise<void> {
    if (!removeEntry(entry) || !(await node.release(entry.login))) return;
    // Read after the release: every client that has seen this peer came online before it, and is found.
    const { logins } = await node.online([entry.login.group, ...entry.groupSessions.view.names.keys()]);
    publish({ kind: "leave", logins: [entry.login], lost }, logins);
  }

  function revokeLocally(user: string, keep: string | undefined): void {
    for (const { entries } of groupSessionsIndex.ofUser(user))
      for (const entry of entries.values()) if (entry.member.id !== keep) revokeEntry(entry);
  }

  function endLocally(peers: readonly string[]): void {
    for (const peer of peers) {
      const entry = entries.get(peer);
      if (entry) revokeEntry(entry);
    }
  }

  function waitFor(member: Member, grace: number, lost: boolean): void {
    const entry = entries.get(member.id);
    if (closed || entry?.member !== member || entry.stopGrace) return;
    entry.ready = false;
    entry.stopGrace = clock.after(grace, () => inBackground(releaseEntry(entry, lost)));
  }

  function revokeEntry(entry: SessionEntry): void {
    entry.member.end("revoked");
    inBackground(releaseEntry(entry, false));
  }

  // ── reloading ──

  async function reloadTrust(message: Extract<BusMessage, { kind: "trust" }>): Promise<void> {
    const { users, named } = message;
    const affected = new Set<GroupSessions>();
    const add = (found: Iterable<GroupSessions>) => {
      for (const sessions of found) affected.add(sessions);
    };
    for (const user of users) trust.invalidate(user);
    observer(message);
    for (const user of users) {
      add(groupSessionsIndex.ofUser(user));
      if (!named) continue;
      add(groupSessionsIndex.watchersOf(user));
      for (const other of await trust.namesOf(user)) add(groupSessionsIndex.ofUser(other));
    }
    await Promise.all([...affected].map((groupSessions) => groupSessions.refresh()));
  }

  async function reloadAll(): Promise<void> {
    const asked = [...entries.values()];
    const alive = await parts.sessionsOf(asked.map(({ member }) => member.id));
    endSessions(asked.map(({ member }) => member.id).filter((id) => !alive.has(id)));
    // A failed reload of one group does not stop the others.
    for (const groupSessions of groupSessionsIndex.all()) await groupSessions.refresh().catch(logError);
    observer({ kind: "stale" });
  }

  function endSessions(peers: readonly string[]): void {
    if (peers.length > 0) publishToAll({ kind: "ended", peers: [...peers] });
  }

  return {
    join,
    lose: (member) => waitFor(member, parts.limits.grace, true),
    awaitReload: (member) => waitFor(member, parts.limits.reloadGrace, false),
    async leave(member) {
      const entry = entries.get(member.id);
      if (entry?.member === member) await releaseEntry(entry, false);
    },
    setProfile(member, profile) {
      const entry = entries.get(member.id);
      if (entry?.member !== member) return;
      entry.nextProfile = profile;
      if (!entry.stopProfileTimer) announceProfile(entry);
    },
    relay: (member, type, to, signal) =>
      sendToPeer(member, to, (from) => ({ kind: "relay", type, to, from, signal })) !== undefined,
    offerRelay: (member, to, { url, ticket }) =>
      sendToPeer(member, to, (from) => ({ kind: "relayOffer", to, from, url, ticket })),
    mayReach: async (member, group) => (await groupSessionsIndex.visibleGroups(member)).has(group),
    observe(listener) {
      observer = listener;
    },
    async trustChanged(users, named = false) {
      const message = { kind: "trust", users: [...users], named } as const;
      node.broadcast(message);
      await reloadTrust(message);
    },
    revoke: (user, keep) => publishToAll({ kind: "revoke", user, keep }),
    endSessions,
    evict(matches) {
      const found = [...entries.values()].filter(({ member }) => matches(member));
      endSessions(found.map(({ member }) => member.id));
      return found.length > 0;
    },
    reload() {
      trust.invalidate();
      return resync();
    },
    ids: () => [...entries.keys()],
    guestIds: () =>
      [...entries.values()].filter(({ member }) => member.user === undefined).map(({ member }) => member.id),
    node,
    async close() {
      closed = true;
      stopResync();
      for (const { stopGrace, stopProfileTimer } of entries.values()) {
        stopGrace?.();
        stopProfileTimer?.();
      }
      await node.leave();
    },
  };
}

/** Whether `a` was claimed before `b`. Two nodes without a common clock may give the same epoch. */
function isEarlier(a: Login, b: Login): boolean {
  return a.epoch < b.epoch || (a.epoch === b.epoch && a.id < b.id);
}
