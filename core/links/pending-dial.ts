import type { Clock } from "../clock.ts";
import type { BonevalueError } from "../errors.ts";

/** How long a dial may take, in ms. */
export const dialTimeout = 15_000;

const redialAfter = 100;

/** A link that is wanted, from the first dial until it is there or has failed: one attempt may follow another. */
export interface PendingDial {
  /** Why the last attempt broke. */
  readonly lastError: BonevalueError | undefined;
  /** Dials again in a moment, since the last attempt has ended, or `broken`. */
  retry(broken?: BonevalueError): void;
  /** It is answered. */
  end(): void;
}

/** A pendingDial that `expires` after 15 s; `dial` begins another attempt. Its owner ends it with `end`. */
export function createPendingDial(clock: Clock, { dial, expired }: { dial(): void; expired(): void }): PendingDial {
  const undoDeadline = clock.after(dialTimeout, expired);
  let undoRedial = () => {};
  let broken: BonevalueError | undefined;
  return {
    get lastError() {
      return broken;
    },
    retry(reason = broken) {
      broken = reason;
      undoRedial();
      undoRedial = clock.after(redialAfter, dial);
    },
    end() {
      undoDeadline();
      undoRedial();
    },
  };
}
