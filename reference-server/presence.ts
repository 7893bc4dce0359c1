import { us } from "../core/protocol/alias.ts";
import { closeCode } from "../core/protocol/close-code.ts";
import type { SignalKind } from "../core/protocol/messages.ts";
import { type Clock, every } from "./clock.ts";
import type { BusMessage, Cluster, ClusterNode, Login } from "./cluster/cluster.ts";
import { coalesced } from "./coalesced.ts";
import type { ServerLimits } from "./limits.ts";
import type { Log } from "./log.ts";
import { Refusal } from "./refusal.ts";
import type { Trust } from "./trust.ts";
import { createUserSessionsIndex, type Member, type SessionEntry, type UserSessions } from "./user-sessions.ts";

/** Who is online on this node, and who is told what of whom. */
export interface Presence {
  /**
   * Takes the member's peer over and tells everybody concerned. False: `valid` said that its session ended meanwhile.
   * Rejects with `rate-limited` where its user is here often enough.
   */
  enter(member: Member, valid: () => Promise<boolean>): Promise<boolean>;
  /** The member's socket broke: its peer is announced as lost if nobody takes over within the grace. */
  lose(member: Member): void;
  /** The member has said goodbye: its peer is announced as gone at once. */
  leave(member: Member): Promise<void>;
  /** False: the member may not talk to `to`, or there is no such peer. True promises nothing. */
  relay(member: Member, type: SignalKind, to: string, signal: unknown): boolean;
  /** Reads again whom these users trust; resolves once everybody on this node has been told. `named`: and whom they name. */
  trustChanged(users: readonly string[], named?: boolean): Promise<void>;
  /** Ends all logins of a user on all nodes, but for the peer `keep`. */
  revoke(user: string, keep?: string): void;
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
  readonly limits: Pick<ServerLimits, "grace" | "resync" | "socketsPerAccount">;
  /** Which of these peers' sessions still exist. */
  readonly sessionsOf: (peers: readonly string[]) => Promise<ReadonlySet<string>>;
}

/** Joins the cluster. Rejects when that is out of reach. */
export async function createPresence(parts: PresenceParts): Promise<Presence> {
  const { trust, clock, log } = parts;
  const entries = new Map<string, SessionEntry>();
  const circles = createUserSessionsIndex(() => node, trust);
  const resync = coalesced(readEverything);
  let closed = false;
  const node = await parts.cluster.join({ message: receive, stale });
  const stopResync = every(clock, parts.limits.resync, () => resync().catch(complain));

  function stale(): void {
    if (closed) return;
    // Word of a refresh may be among what was lost.
    trust.forget();
    background(resync());
  }

  function complain(error: unknown): void {
    log.error({ error }, "presence could not be read; it will be tried again");
  }

  function background(work: Promise<unknown>): void {
    work.catch(complain);
  }

  // ── what is heard, from other nodes and from this one ──

  function receive(message: BusMessage): void {
    switch (message.kind) {
      case "come":
      case "go":
        circles.onBusMessage(message);
        break;
      case "relay": {
        const entry = entries.get(message.to);
        if (entry) circles.pass(entry, message);
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
        stale();
    }
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
    refuseCrowd(member);
    const { login, resumed } = await node.claim(member.user, member.id);
    const earlier = entries.get(member.id);
    if (earlier && earlier.login.epoch > login.epoch) {
      member.end("taken");
      return true;
    }
    if (earlier) end(earlier, "taken");
    const entry = seat(member, login);
    try {
      // Again: many at once may all have found room before the claim.
      refuseCrowd(member);
      // After the claim: whoever ends the session, or its trust, from now on finds this node by the claim.
      if (!(await valid())) {
        await depart(entry, false);
        return false;
      }
      await entry.circle.refresh();
    } catch (error) {
      await depart(entry, true);
      throw error;
    }
    if (entries.get(member.id) === entry) admit(entry, resumed);
    return true;
  }

  function refuseCrowd({ user, id }: Member): void {
    const seated = circles.find(user)?.entries;
    if (seated === undefined || seated.size - Number(seated.has(id)) < parts.limits.socketsPerAccount) return;
    throw new Refusal("rate-limited", "This account is signed in too many times.", { close: closeCode.overloaded });
  }

  function seat(member: Member, login: Login): SessionEntry {
    const circle = circles.of(member.user);
    const entry: SessionEntry = { member, login, circle, ready: false, stopGrace: undefined };
    entries.set(member.id, entry);
    circle.entries.set(member.id, entry);
    return entry;
  }

  function admit(entry: SessionEntry, resumed: boolean): void {
    const { member, login, circle } = entry;
    const { names, peers } = circle.view;
    const others = [...peers.values()].filter(({ id }) => id !== member.id);
    member.sendLists({
      resumed,
      users: [...names.values()].filter((name) => name !== us),
      peers: others.map(({ id, user }) => ({ name: names.get(user) ?? us, id })),
    });
    entry.ready = true;
    spread({ kind: "come", login }, others);
  }

  /** Forgets an entry here; false where something else has done so before. */
  function drop(entry: SessionEntry): boolean {
    const { member, circle } = entry;
    if (entries.get(member.id) !== entry) return false;
    entries.delete(member.id);
    circle.entries.delete(member.id);
    if (circle.entries.size === 0) circles.forget(circle);
    entry.ready = false;
    entry.stopGrace?.();
    return true;
  }

  function end(entry: SessionEntry, why: "taken" | "revoked"): void {
    if (drop(entry)) entry.member.end(why);
  }

  async function depart(entry: SessionEntry, lost: boolean): Promise<void> {
    if (!drop(entry) || !(await node.release(entry.login))) return;
    // Read after the release: whoever has seen this peer came before it, and is found.
    const { logins } = await node.online([entry.login.user, ...entry.circle.view.names.keys()]);
    spread({ kind: "go", logins: [entry.login], lost }, logins);
  }

  function revokeHere(user: string, keep: string | undefined): void {
    for (const entry of circles.find(user)?.entries.values() ?? []) if (entry.member.id !== keep) revokeOne(entry);
  }

  function revokeOne(entry: SessionEntry): void {
    entry.member.end("revoked");
    background(depart(entry, false));
  }

  // ── reading again ──

  async function reread(users: readonly string[], named: boolean): Promise<void> {
    const concerned = new Set<UserSessions | undefined>(users.map(circles.find));
    for (const user of users) {
      trust.forget(user);
      if (!named) continue;
      for (const circle of circles.watching(user)) concerned.add(circle);
      for (const other of await trust.named(user)) concerned.add(circles.find(other));
    }
    await Promise.all([...concerned].map((circle) => circle?.refresh()));
  }

  async function readEverything(): Promise<void> {
    const asked = [...entries.values()].filter(({ ready }) => ready);
    const alive = await parts.sessionsOf(asked.map(({ member }) => member.id));
    for (const entry of asked) if (!alive.has(entry.member.id)) revokeOne(entry);
    // One that cannot be read keeps nobody else's from being read.
    for (const circle of circles.all()) await circle.refresh().catch(complain);
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
