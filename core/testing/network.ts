import { type Client, type ClientOptions, createClientOn } from "../client.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Discovery } from "../discovery/discovery.ts";
import { createMemoryDiscovery, type MemoryDiscovery } from "../discovery/memory.ts";
import { createMemoryNetwork } from "../transport/memory.ts";

/** What a test network is like. Times in ms. */
export interface NetworkOptions {
  /** How long a message takes, to a peer and to the discovery server. Default 0. */
  latency?: number | undefined;
  /** By how much more it may take, at random. Default 0. */
  jitter?: number | undefined;
  /** The share of *lossy* messages that never arrive, from 0 to 1. Default 0. */
  loss?: number | undefined;
  /** Bytes a second on each path. Default: no limit. */
  bandwidth?: number | undefined;
  /** Whose time passes. Default the platform's; `createVirtualClock()` makes one that stands still until told. */
  clock?: Clock | undefined;
  /** From 0 up to 1; a seeded one makes a run repeatable. Default Math.random. */
  random?: (() => number) | undefined;
}

/** A network inside this process: clients talk over it as over WebRTC, without a browser and without a server. */
export interface Network {
  /**
   * A client of that user, not signed in yet: `connect("test", username, "")`, or with a token, which is not looked at.
   * Every user of the network trusts every other, under their user names. The same user may have several clients.
   */
  client(username: string, options?: Omit<ClientOptions, "discovery" | "transport">): Client;
  /** Breaks every path between two peers, or between one and all others. */
  partition(peer: string, other?: string): void;
  /** Ends a partition of the same names, or every partition. */
  heal(peer?: string, other?: string): void;
  /** Ends the links between two peers, or all of one, at once. */
  drop(peer: string, other?: string): void;
  /** The discovery server: users, trust, outages. */
  readonly discovery: MemoryDiscovery;
  /** Links and attempts that have not ended, both sides counted. */
  readonly links: number;
}

/**
 * A network for tests.
 *
 * @example
 * const network = createNetwork({ latency: 20 });
 * const ann = network.client("ann");
 * await ann.connect("test", "ann", "");
 */
export function createNetwork(options: NetworkOptions = {}): Network {
  const { clock = systemClock, random = Math.random } = options;
  const { latency = 0, jitter = 0, loss = 0, bandwidth = Number.POSITIVE_INFINITY } = options;
  const discovery = createMemoryDiscovery({ clock, latency, random });
  const paths = createMemoryNetwork({ clock, random, latency, jitter, loss, bandwidth });
  const users = new Set<string>();

  function addUser(username: string): void {
    if (users.has(username)) return;
    discovery.addUser(username, "");
    for (const other of users) discovery.trust(username, other, other, username);
    users.add(username);
  }

  /** An app whose server knows tokens signs in here as it does there. */
  function discoveryFor(username: string): Discovery {
    return {
      open: (host, credentials, events) =>
        discovery.open(host, "token" in credentials ? { username, password: "" } : credentials, events),
    };
  }

  return {
    client(username, clientOptions = {}) {
      addUser(username);
      return createClientOn(clock, {
        moduleGrace: 0,
        ...clientOptions,
        discovery: discoveryFor(username),
        transport: paths.transport,
      });
    },
    partition: paths.partition,
    heal: paths.heal,
    drop: paths.drop,
    discovery,
    get links() {
      return paths.size;
    },
  };
}
