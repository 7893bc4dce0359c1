import type { Client, Live, PresenceDefinition, Target } from "../../core/index.ts";

/** A client that counts its active subscriptions, listeners and modules. */
export interface CountingClient {
  readonly client: Client;
  /** Subscriptions, listeners and modules that are still active. */
  readonly open: number;
  /** How often a module was registered. */
  readonly registrations: number;
}

/** Wraps `client` so that leaks can be counted. */
export function createCountingClient(client: Client): CountingClient {
  const stopped = new Set<object>();
  const lives = new WeakMap<Live<any>, Live<any>>();
  const targets = new WeakMap<Target, Target>();
  let started = 0;
  let registrations = 0;

  function count(undo: () => void): () => void {
    const token = {};
    started++;
    return () => {
      stopped.add(token);
      undo();
    };
  }

  function countLive<T>(live: Live<T>): Live<T> {
    const known = lives.get(live);
    if (known) return known;
    const counting: Live<T> = {
      get value() {
        return live.value;
      },
      peek: live.peek,
      subscribe: (listener) => count(live.subscribe(listener)),
    };
    lives.set(live, counting);
    return counting;
  }

  function countTarget(target: Target): Target {
    const counting = targets.get(target) ?? {
      ...target,
      peers: countLive(target.peers),
      presence: (definition: PresenceDefinition) => countLive(target.presence(definition)),
    };
    targets.set(target, counting);
    return counting;
  }

  return {
    get open() {
      return started - stopped.size;
    },
    get registrations() {
      return registrations;
    },
    client: {
      ...client,
      on: (event, listener) => count(client.on(event, listener)),
      module(...args) {
        registrations++;
        return count(client.module(...args));
      },
      presence(...args) {
        const own = client.presence(...args);
        return Object.create(own, { stop: { value: count(own.stop) } });
      },
      get: (query) => countTarget(client.get(query)),
      link: (peer) => countLive(client.link(peer)),
      identityOf: (alias) => countLive(client.identityOf(alias)),
      identity: countLive(client.identity),
      status: countLive(client.status),
      self: countLive(client.self),
      users: countLive(client.users),
      peers: countLive(client.peers),
    },
  };
}
