import type { BusMessage, ClusterNode, Login } from "./cluster.ts";
import type { RedisCommands } from "./redis-commands.ts";
import { ignoreError } from "./redis-connection.ts";

/** The peers that this node owns. The node's own record is authoritative, since Redis may lose its data. */
export interface Ownership {
  claim: ClusterNode["claim"];
  update: ClusterNode["update"];
  release(login: Login): Promise<boolean>;
  /** Another socket has taken over a peer. */
  onSuperseded(id: string, epoch: number): void;
  /** The logins of these groups on this node. */
  loginsOf(groups: readonly string[]): Login[];
  isEmpty(): boolean;
  /**
   * Writes the owned peers to Redis again, and removes peers that this node no longer owns. Peers that another node has
   * taken over meanwhile end here. Rejects while Redis is unreachable.
   */
  rewrite(): Promise<void>;
}

/** Dependencies of {@link Ownership}. */
export interface OwnershipParts {
  readonly commands: RedisCommands;
  /** The time of Redis, which all nodes share, in ms. */
  readonly now: () => number;
  readonly node: string;
  /** Sends to a node, which may be this one. */
  readonly send: (node: string, message: BusMessage) => void;
  readonly broadcast: (message: BusMessage) => void;
}

/** Creates the record of a node that owns no peers yet. */
export function createOwnership({ commands, now, node, send, broadcast }: OwnershipParts): Ownership {
  const owned = new Map<string, Login>();
  // By peer id. Answers and messages come over two connections: a claim may be superseded before its answer has come.
  const pendingClaims = new Map<string, { count: number; readonly supersededEpochs: Set<number> }>();
  let lastEpoch = 0;

  function notifySuperseded(owner: string, id: string, epoch: number): void {
    send(owner, { kind: "superseded", id, epoch });
  }

  async function rewriteLogin(login: Login): Promise<void> {
    const { id, group, epoch } = login;
    const [, kept] = await Promise.all([commands.addPeer(node, id, group), commands.reclaim(login)]);
    if (owned.get(id)?.epoch !== epoch) return;
    if (kept.epoch > epoch) notifySuperseded(node, id, epoch);
    else if (kept.previous === undefined) broadcast({ kind: "join", login });
    else if (kept.previous.node !== node) notifySuperseded(kept.previous.node, id, kept.previous.epoch);
  }

  async function removeStale(id: string, group: string): Promise<void> {
    await commands.release(group, id, node);
    if (!owned.has(id)) await commands.removePeer(node, id);
  }

  return {
    async claim(group, id, name, profile) {
      lastEpoch = Math.max(lastEpoch + 1, now());
      const login = { id, group, name, profile, node, epoch: lastEpoch };
      const earlier = owned.get(id);
      owned.set(id, login);
      const pending = pendingClaims.get(id) ?? { count: 0, supersededEpochs: new Set() };
      pendingClaims.set(id, pending);
      pending.count++;
      try {
        const [, { epoch, previous }] = await Promise.all([commands.addPeer(node, id, group), commands.claim(login)]);
        const claimed = { ...login, epoch };
        if (owned.get(id) === login) owned.set(id, claimed);
        if (previous) notifySuperseded(previous.node, id, previous.epoch);
        // Again, once the caller has the login.
        if (pending.supersededEpochs.has(epoch)) setImmediate(() => notifySuperseded(node, id, epoch));
        return { login: claimed, resumed: previous !== undefined };
      } catch {
        if (earlier) notifySuperseded(node, id, earlier.epoch);
        return { login, resumed: earlier !== undefined };
      } finally {
        if (--pending.count === 0) pendingClaims.delete(id);
      }
    },
    async update(login) {
      if (owned.get(login.id)?.epoch !== login.epoch) return;
      owned.set(login.id, login);
      // While Redis is unreachable, the next rewrite stores it.
      await commands.reclaim(login).catch(ignoreError);
    },
    async release(login) {
      const { id, group, epoch } = login;
      if (owned.get(id)?.epoch === epoch) owned.delete(id);
      try {
        const had = await commands.release(group, id, node, epoch);
        if (had === undefined) return false;
        // Unless the peer has reconnected to this node meanwhile.
        if (!owned.has(id)) await commands.removePeer(node, id);
        return true;
      } catch {
        return !owned.has(id);
      }
    },
    onSuperseded(id, epoch) {
      pendingClaims.get(id)?.supersededEpochs.add(epoch);
      if (owned.get(id)?.epoch !== epoch) return;
      owned.delete(id);
      commands.removePeer(node, id).catch(() => {});
    },
    loginsOf(groups) {
      const asked = new Set(groups);
      return [...owned.values()].filter(({ group }) => asked.has(group));
    },
    isEmpty: () => owned.size === 0,
    async rewrite() {
      const listed = await commands.peersOfNode(node);
      const others = [...listed].filter(([id]) => !owned.has(id));
      // Peers that were released during an outage, and the owned peers.
      await Promise.all([
        ...others.map(([id, group]) => removeStale(id, group)),
        ...[...owned.values()].map((login) => rewriteLogin(login)),
      ]);
    },
  };
}
