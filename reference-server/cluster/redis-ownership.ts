import type { BusMessage, Login } from "./cluster.ts";
import type { RedisCommands } from "./redis-commands.ts";

/** The peers that this node answers for. They are its truth, while the engine's may be lost. */
export interface Ownership {
  claim(user: string, peer: string): Promise<{ login: Login; resumed: boolean }>;
  release(login: Login): Promise<boolean>;
  /** Another has taken a peer over. */
  taken(id: string, epoch: number): void;
  /** Ours of these users. */
  of(users: readonly string[]): Login[];
  isEmpty(): boolean;
  /**
   * Writes down again what this node answers for, and takes back what it does not. What another has taken over meanwhile
   * ends here. Rejects while the engine is out of reach.
   */
  rewrite(): Promise<void>;
}

/** What ownership stands on. */
export interface OwnershipParts {
  readonly engine: RedisCommands;
  /** The time that all nodes agree on, in ms. */
  readonly now: () => number;
  readonly node: string;
  /** To a node, which may be ours. */
  readonly send: (node: string, message: BusMessage) => void;
  readonly broadcast: (message: BusMessage) => void;
}

/** Owns nothing yet. */
export function createOwnership({ engine, now, node, send, broadcast }: OwnershipParts): Ownership {
  const mine = new Map<string, Login>();
  let lastEpoch = 0;

  function tellTaken(owner: string, id: string, epoch: number): void {
    send(owner, { kind: "taken", id, epoch });
  }

  async function rewriteOne(login: Login): Promise<void> {
    const { id, user, epoch } = login;
    const [, kept] = await Promise.all([engine.enlist(node, id, user), engine.keep(user, id, node, epoch)]);
    if (mine.get(id) !== login) return;
    if (kept.epoch > epoch) tellTaken(node, id, epoch);
    else if (kept.before === undefined) broadcast({ kind: "come", login });
    else if (kept.before.node !== node) tellTaken(kept.before.node, id, kept.before.epoch);
  }

  async function takeBack(id: string, user: string): Promise<void> {
    await engine.release(user, id, node);
    if (!mine.has(id)) await engine.strike(node, id);
  }

  return {
    async claim(user, id) {
      lastEpoch = Math.max(lastEpoch + 1, now());
      const login = { id, user, node, epoch: lastEpoch };
      const earlier = mine.get(id);
      mine.set(id, login);
      try {
        const [, { epoch, before }] = await Promise.all([
          engine.enlist(node, id, user),
          engine.claim(user, id, node, login.epoch),
        ]);
        const claimed = { ...login, epoch };
        if (mine.get(id) === login) mine.set(id, claimed);
        if (before) tellTaken(before.node, id, before.epoch);
        return { login: claimed, resumed: before !== undefined };
      } catch {
        if (earlier) tellTaken(node, id, earlier.epoch);
        return { login, resumed: earlier !== undefined };
      }
    },
    async release(login) {
      const { id, user, epoch } = login;
      if (mine.get(id)?.epoch === epoch) mine.delete(id);
      try {
        const had = await engine.release(user, id, node, epoch);
        if (had === undefined) return false;
        // Unless it has come back here meanwhile.
        if (!mine.has(id)) await engine.strike(node, id);
        return true;
      } catch {
        return !mine.has(id);
      }
    },
    taken(id, epoch) {
      if (mine.get(id)?.epoch !== epoch) return;
      mine.delete(id);
      engine.strike(node, id).catch(() => {});
    },
    of(users) {
      const asked = new Set(users);
      return [...mine.values()].filter(({ user }) => asked.has(user));
    },
    isEmpty: () => mine.size === 0,
    async rewrite() {
      const listed = await engine.listOf(node);
      const others = [...listed].filter(([id]) => !mine.has(id));
      // What was released while the engine was out of reach, and what is ours.
      await Promise.all([
        ...others.map(([id, user]) => takeBack(id, user)),
        ...[...mine.values()].map((login) => rewriteOne(login)),
      ]);
    },
  };
}
