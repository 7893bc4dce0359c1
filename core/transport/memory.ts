import { type Clock, systemClock } from "../clock.ts";
import { BonevalueError } from "../errors.ts";
import { createDuplex, type Duplex } from "./memory/duplex.ts";
import { createEndpoint, type Endpoint } from "./memory/endpoint.ts";
import type { Conditions } from "./memory/pipe.ts";
import type { Transport } from "./transport.ts";

/** The options of {@link createMemoryNetwork}. By default paths have no latency, no limit and no loss. */
export interface MemoryNetworkOptions extends Partial<Conditions> {
  clock?: Clock | undefined;
  /** Returns numbers from 0 up to 1, for jitter and loss. Default: Math.random. */
  random?: (() => number) | undefined;
  /** The largest message, in bytes. Default 262 144, as in Chromium. */
  maxMessage?: number | undefined;
}

/** A network inside this process, for tests. */
export interface MemoryNetwork {
  /** The transport of every peer. The signals identify the peers. */
  readonly transport: Transport;
  /** The number of links and attempts that have not ended, counted on both sides. */
  readonly size: number;
  /** Interrupts every path, present and future, between two peers or between one and all others. */
  partition(peer: string, other?: string): void;
  /** Ends the partition of the same peers, or every partition. */
  heal(peer?: string, other?: string): void;
  /** Ends the links between two peers, or all links of one, with `disconnected` on both sides at once. */
  drop(peer: string, other?: string): void;
}

/** Between two peers, or one and all others. */
interface Partition {
  readonly peer: string;
  readonly other: string | undefined;
}

interface Pair {
  readonly duplex: Duplex;
  readonly ends: readonly [Endpoint, Endpoint];
}

/** Creates a network without partitions. */
export function createMemoryNetwork(options: MemoryNetworkOptions = {}): MemoryNetwork {
  const { clock = systemClock, random = Math.random, maxMessage = 262_144 } = options;
  const { latency = 0, jitter = 0, bandwidth = Number.POSITIVE_INFINITY, loss = 0 } = options;
  const conditions: Conditions = { latency, jitter, bandwidth, loss };
  const endpoints = new Map<string, Endpoint>();
  const pairs = new Set<Pair>();
  let partitions: readonly Partition[] = [];
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
        onTarget: () => connectIfMutual(endpoint, address),
        onEnd: () => endpoints.delete(address),
      });
      endpoints.set(address, endpoint);
      return endpoint.link;
    },
  };

  function connectIfMutual(endpoint: Endpoint, address: string): void {
    const other = endpoints.get(endpoint.target!);
    if (other?.target !== address || endpoint.duplex) return;
    const ends = [endpoint, other] as const;
    const duplex = createDuplex({ ends, clock, conditions, random });
    endpoint.duplex = other.duplex = duplex;
    const pair = { duplex, ends };
    pairs.add(pair);
    Promise.all([endpoint.link.closed, other.link.closed]).then(() => pairs.delete(pair));
    if (isPartitioned(pair)) duplex.hold();
  }

  function isPartitioned(pair: Pair): boolean {
    return partitions.some((partition) => isBetween(pair, partition));
  }

  return {
    transport,
    get size() {
      return endpoints.size;
    },
    partition(peer, other) {
      const partition = { peer, other };
      partitions = [...partitions, partition];
      for (const pair of pairs) if (isBetween(pair, partition)) pair.duplex.hold();
    },
    heal(peer, other) {
      partitions = peer === undefined ? [] : partitions.filter((one) => one.peer !== peer || one.other !== other);
      for (const pair of pairs) if (!isPartitioned(pair)) pair.duplex.release();
    },
    drop(peer, other) {
      const reason = new BonevalueError("disconnected", "The test network has dropped the link.");
      for (const pair of pairs) {
        if (isBetween(pair, { peer, other })) for (const { lifetime } of pair.ends) lifetime.end(reason);
      }
    },
  };
}

// Each end knows only the name of the other.
function isBetween({ ends }: Pair, { peer, other }: Partition): boolean {
  const names = ends.map((end) => end.peer);
  return names.includes(peer) && (other === undefined || names.includes(other));
}
