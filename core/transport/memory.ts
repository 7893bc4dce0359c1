import { type Clock, systemClock } from "../clock.ts";
import { BonevalueError } from "../errors.ts";
import { createEndpoint, type Endpoint } from "./memory/endpoint.ts";
import type { Conditions } from "./memory/pipe.ts";
import { createWire, type Wire } from "./memory/wire.ts";
import type { Transport } from "./transport.ts";

/** What paths are like, and by whose time. By default there is no latency, no limit and no loss. */
export interface MemoryNetworkOptions extends Partial<Conditions> {
  clock?: Clock | undefined;
  /** From 0 to 1, for jitter and loss. Default Math.random. */
  random?: (() => number) | undefined;
  /** The largest message, in bytes. Default 262 144, as in Chromium. */
  maxMessage?: number | undefined;
}

/** A network inside this process, for tests. */
export interface MemoryNetwork {
  /** For every peer alike: who is who comes from the signals. */
  readonly transport: Transport;
  /** Links and attempts that have not ended, both sides counted. */
  readonly size: number;
  /** Breaks every path between two peers, or between one and all others, those to come included. */
  partition(peer: string, other?: string): void;
  /** Ends a partition of the same names, or every partition. */
  heal(peer?: string, other?: string): void;
  /** Ends the links between two peers, or all of one, with `disconnected` on both sides at once. */
  drop(peer: string, other?: string): void;
}

/** Two peers, or one and everybody. */
interface Cut {
  readonly peer: string;
  readonly other: string | undefined;
}

interface Joined {
  readonly wire: Wire;
  readonly ends: readonly [Endpoint, Endpoint];
}

/** A network without partitions. It holds nothing but links that are open or being made. */
export function createMemoryNetwork(options: MemoryNetworkOptions = {}): MemoryNetwork {
  const { clock = systemClock, random = Math.random, maxMessage = 262_144 } = options;
  const { latency = 0, jitter = 0, bandwidth = Number.POSITIVE_INFINITY, loss = 0 } = options;
  const conditions: Conditions = { latency, jitter, bandwidth, loss };
  const endpoints = new Map<string, Endpoint>();
  const joined = new Set<Joined>();
  let cuts: readonly Cut[] = [];
  let count = 0;

  const transport: Transport = {
    open(peer, role, exchange) {
      const address = `memory:${++count}`;
      const endpoint = createEndpoint({
        peer,
        role,
        exchange,
        address,
        maxMessage,
        roundTrip: 2 * latency,
        found: () => meet(endpoint, address),
        ended: () => endpoints.delete(address),
      });
      endpoints.set(address, endpoint);
      return endpoint.link;
    },
  };

  function meet(endpoint: Endpoint, address: string): void {
    const other = endpoints.get(endpoint.target!);
    if (other?.target !== address || endpoint.wire) return;
    const ends = [endpoint, other] as const;
    const wire = createWire({ ends, clock, conditions, random });
    endpoint.wire = other.wire = wire;
    const pair = { wire, ends };
    joined.add(pair);
    Promise.all([endpoint.link.closed, other.link.closed]).then(() => joined.delete(pair));
    if (isCut(pair)) wire.hold();
  }

  function isCut(pair: Joined): boolean {
    return cuts.some((cut) => isBetween(pair, cut));
  }

  return {
    transport,
    get size() {
      return endpoints.size;
    },
    partition(peer, other) {
      const cut = { peer, other };
      cuts = [...cuts, cut];
      for (const pair of joined) if (isBetween(pair, cut)) pair.wire.hold();
    },
    heal(peer, other) {
      cuts = peer === undefined ? [] : cuts.filter((cut) => cut.peer !== peer || cut.other !== other);
      for (const pair of joined) if (!isCut(pair)) pair.wire.release();
    },
    drop(peer, other) {
      const reason = new BonevalueError("disconnected", "The network has ended the link.");
      for (const pair of joined) {
        if (isBetween(pair, { peer, other })) for (const { lifetime } of pair.ends) lifetime.end(reason);
      }
    },
  };
}

// Each end knows only the other's name, so that each is named by its counterpart.
function isBetween({ ends }: Joined, { peer, other }: Cut): boolean {
  const names = ends.map((end) => end.peer);
  return names.includes(peer) && (other === undefined || names.includes(other));
}
