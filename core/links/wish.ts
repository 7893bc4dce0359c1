import type { Clock } from "../clock.ts";
import type { BonevalueError } from "../errors.ts";

/** How long a dial may take, in ms. */
export const dialTimeout = 15_000;

const redialAfter = 100;

/** A link that is wanted, from the first dial until it is there or has failed: one attempt may follow another. */
export interface Wish {
  /** Why the last attempt broke. */
  readonly broken: BonevalueError | undefined;
  /** Dials again in a moment, since the last attempt has ended, or `broken`. */
  again(broken?: BonevalueError): void;
  /** It is answered. */
  end(): void;
}

/** A wish that `expires` after 15 s; `dial` begins another attempt. Its owner ends it with `end`. */
export function createWish(clock: Clock, { dial, expired }: { dial(): void; expired(): void }): Wish {
  const undoDeadline = clock.after(dialTimeout, expired);
  let undoRedial = () => {};
  let broken: BonevalueError | undefined;
  return {
    get broken() {
      return broken;
    },
    again(reason = broken) {
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
