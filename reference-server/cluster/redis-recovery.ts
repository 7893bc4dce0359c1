import type { Clock } from "../clock.ts";

/**
 * Tells whether the data in Redis is complete. After an outage Redis may be empty, and each node has to write its peers
 * again. Until the nodes that were alive before have a lease again, or `lease` ms have passed, what a node reads is
 * treated as incomplete: a missing peer is not announced as gone.
 */
export interface Recovery {
  readonly isComplete: boolean;
  /** Redis is unreachable. */
  onLost(): void;
  /** Redis answers again, and may be empty: starts waiting for the known nodes. */
  start(): void;
  /** Remembers the nodes that have a lease, to wait for them after the next outage. */
  setKnownNodes(nodes: readonly string[]): void;
  /** Remembers one more, from which a message came. */
  addKnownNode(node: string): void;
  stop(): void;
}

/** Dependencies and times (ms) of a {@link Recovery}. */
export interface RecoveryParts {
  readonly clock: Clock;
  /** Time between two checks; the minimum that nodes get to write their peers again. */
  readonly checkEvery: number;
  /** The maximum that known nodes get. */
  readonly lease: number;
  /** The nodes that have a lease; rejects while Redis is unreachable. */
  readonly alive: () => Promise<readonly string[]>;
  /** Called when the data is complete again. */
  readonly onComplete: () => void;
}

/** Creates the state of a cluster that has not had an outage: complete. */
export function createRecovery({ clock, checkEvery, lease, alive, onComplete }: RecoveryParts): Recovery {
  let isComplete = true;
  // The nodes that had a lease when the data was last complete.
  let knownNodes: ReadonlySet<string> = new Set();
  let stop = () => {};

  function start(): void {
    stop();
    isComplete = false;
    const end = clock.now() + lease;
    let over = false;
    let cancel = next(check);
    stop = () => {
      over = true;
      cancel();
    };

    function next(step: () => void): () => void {
      return clock.after(checkEvery, step);
    }
    async function check(): Promise<void> {
      const here = await alive().catch((): readonly string[] => []);
      const missing = [...knownNodes].some((other) => !here.includes(other));
      if (!over) cancel = next(missing && clock.now() < end ? check : finish);
    }
    function finish(): void {
      isComplete = true;
      onComplete();
    }
  }

  return {
    get isComplete() {
      return isComplete;
    },
    onLost() {
      isComplete = false;
      stop();
    },
    start,
    setKnownNodes(nodes) {
      knownNodes = new Set(nodes);
    },
    addKnownNode(node) {
      knownNodes = new Set(knownNodes).add(node);
    },
    stop: () => stop(),
  };
}
