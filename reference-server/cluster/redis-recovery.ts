import type { Clock } from "../clock.ts";

/** Whether the engine holds what all nodes have to say. After a loss it does not, until they have written again. */
export interface Recovery {
  readonly settled: boolean;
  /** The engine is out of reach. */
  lost(): void;
  /** It can be asked again, and may be empty. */
  begin(): void;
  /** These have a lease. */
  saw(nodes: readonly string[]): void;
  stop(): void;
}

/** What settling stands on. Times in ms. */
export interface RecoveryParts {
  readonly clock: Clock;
  /** What nodes get, at the least, to write down their peers again. */
  readonly settle: number;
  /** What a node that was there before gets, at the most. */
  readonly lease: number;
  /** The nodes that have a lease; rejects while the engine is out of reach. */
  readonly alive: () => Promise<readonly string[]>;
  /** Everything can be read again. */
  readonly done: () => void;
}

/** Settled. */
export function createRecovery({ clock, settle, lease, alive, done }: RecoveryParts): Recovery {
  let settled = true;
  // Who had a lease when the engine last held everything.
  let others: readonly string[] = [];
  let stop = () => {};

  function begin(): void {
    stop();
    settled = false;
    const end = clock.now() + lease;
    let over = false;
    let cancel = next(look);
    stop = () => {
      over = true;
      cancel();
    };

    function next(step: () => void): () => void {
      return clock.after(settle, step);
    }
    async function look(): Promise<void> {
      const here = await alive().catch((): readonly string[] => []);
      const missing = others.some((other) => !here.includes(other));
      if (!over) cancel = next(missing && clock.now() < end ? look : finish);
    }
    function finish(): void {
      settled = true;
      done();
    }
  }

  return {
    get settled() {
      return settled;
    },
    lost() {
      settled = false;
      stop();
    },
    begin,
    saw(nodes) {
      others = nodes;
    },
    stop: () => stop(),
  };
}
