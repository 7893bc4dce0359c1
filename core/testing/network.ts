import type { Client, ClientOptions } from "../client.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Discovery } from "../discovery/discovery.ts";
import { createMemoryDiscovery, type MemoryDiscovery } from "../discovery/memory.ts";
import { createMemoryNetwork } from "../transport/memory.ts";
import { createClientOn } from "./client-on.ts";

/** The options of {@link createNetwork}. Times in ms. */
export interface NetworkOptions {
  /** The latency of a message, to a peer and to the discovery server. Default 0. */
  latency?: number | undefined;
  /** The largest random delay that is added to the latency between peers. Default 0. */
  jitter?: number | undefined;
  /** The share of *lossy* messages that never arrive, from 0 to 1. Default 0. */
  loss?: number | undefined;
  /** Bytes per second of each path. Default: unlimited. */
  bandwidth?: number | undefined;
  /** Default: the platform's. `createVirtualClock()` creates one whose time a test controls. */
  clock?: Clock | undefined;
  /** Returns numbers from 0 up to 1. A seeded one makes a run repeatable. Default: Math.random. */
  random?: (() => number) | undefined;
}

/** A network inside this process, without a browser and without a server. */
export interface Network {
  /**
   * Creates a client, which is not signed in. With a user, sign in with `connect("test", username, "")`, or with any token.
   * All users trust each other under their user names. A user may have several clients. Any client may enter any room:
   * `connect("test", { room, name })`.
   */
  client(username?: string, options?: Omit<ClientOptions, "discovery" | "transport">): Client;
  /** Interrupts every path between two peers, or between one and all others. */
  partition(peer: string, other?: string): void;
  /** Ends the partition of the same peers, or every partition. */
  heal(peer?: string, other?: string): void;
  /** Ends the links between two peers, or all links of one, at once. */
  drop(peer: string, other?: string): void;
  /** The discovery server, with users, trust and outages. */
  readonly discovery: MemoryDiscovery;
  /** The number of links and attempts that have not ended, counted on both sides. */
  readonly links: number;
}

/**
 * Creates a network for tests.
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

  /** Accepts any token, so that an app whose server uses tokens signs in without changes. */
  function discoveryFor(username: string | undefined): Discovery {
    if (username === undefined) return discovery;
    return {
      local: true,
      open: (host, credentials, ...rest) =>
        discovery.open(host, isToken(credentials) ? { username, password: "" } : credentials, ...rest),
    };
  }

  return {
    client(username, clientOptions = {}) {
      if (username !== undefined) addUser(username);
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

function isToken(credentials: object): boolean {
  return "token" in credentials && !("session" in credentials);
}
