import type { Client, Live, Target } from "../../core/index.ts";

/** A client that knows how many subscriptions, listeners and modules nobody has undone. */
export interface CountedClient {
  readonly client: Client;
  readonly open: number;
  /** How often a module was offered. */
  readonly offers: number;
}

/** Counts on behalf of `client`. */
export function counted(client: Client): CountedClient {
  const undone = new Set<object>();
  const lives = new WeakMap<Live<any>, Live<any>>();
  const targets = new WeakMap<Target, Target>();
  let begun = 0;
  let offers = 0;

  function count(undo: () => void): () => void {
    const token = {};
    begun++;
    return () => {
      undone.add(token);
      undo();
    };
  }

  function countLive<T>(live: Live<T>): Live<T> {
    const known = lives.get(live);
    if (known) return known;
    const made: Live<T> = {
      get value() {
        return live.value;
      },
      peek: live.peek,
      subscribe: (listener) => count(live.subscribe(listener)),
    };
    lives.set(live, made);
    return made;
  }

  function countTarget(target: Target): Target {
    const made = targets.get(target) ?? { ...target, peers: countLive(target.peers) };
    targets.set(target, made);
    return made;
  }

  return {
    get open() {
      return begun - undone.size;
    },
    get offers() {
      return offers;
    },
    client: {
      ...client,
      on: (event, listener) => count(client.on(event, listener)),
      module(...offer) {
        offers++;
        return count(client.module(...offer));
      },
      get: (query) => countTarget(client.get(query)),
      link: (peer) => countLive(client.link(peer)),
      status: countLive(client.status),
      self: countLive(client.self),
      users: countLive(client.users),
      peers: countLive(client.peers),
    },
  };
}
