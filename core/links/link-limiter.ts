import type { Connection } from "./connection.ts";

/** Who may have a place. Its connection is asked to close where others wait. */
export interface LinkHolder {
  readonly connection?: Pick<Connection, "accepting" | "lastUse" | "offerClose"> | undefined;
}

/** What {@link createLinkLimiter} needs. */
export interface LinkLimiterOptions<G extends LinkHolder> {
  /** How many places there are. */
  readonly count: number;
  /** Whether anybody is let in at present. */
  isOpen(): boolean;
  /** This guest, who waited, has a place now. */
  admit(guest: G): void;
}

/** Places for a few, and the line of those who wait for one. */
export interface LinkLimiter<G extends LinkHolder> {
  /** Whether it has a place. */
  holds(guest: G): boolean;
  /** Whether it waits in a line that is longer than the places which are free, or are being left. */
  isStarved(guest: G): boolean;
  /** Joins the end of the line, unless it waits already; `fill` lets it in. */
  enqueue(guest: G): void;
  /** Gives up its place, or its wait for one. */
  release(guest: G): void;
  /**
   * Lets in who waits, the first first, while there is a place. For each who finds none, one connection is asked to
   * close, of those that are not in use the one unused for longest.
   */
  drain(): void;
}

/** Places that are all free. */
export function createLinkLimiter<G extends LinkHolder>({
  count,
  isOpen,
  admit,
}: LinkLimiterOptions<G>): LinkLimiter<G> {
  const seated = new Set<G>();
  const line = new Set<G>();

  const connections = () => [...seated].flatMap(({ connection }) => connection ?? []);
  const leaving = () => connections().filter(({ accepting }) => !accepting).length;

  function makeRoom(): void {
    let wanted = line.size - leaving();
    for (const { accepting, offerClose } of connections().sort((a, b) => a.lastUse - b.lastUse)) {
      if (wanted > 0 && accepting && offerClose()) wanted--;
    }
  }

  return {
    holds: (guest) => seated.has(guest),
    isStarved: (guest) => line.has(guest) && line.size > count - seated.size + leaving(),
    enqueue: (guest) => line.add(guest),
    release(guest) {
      seated.delete(guest);
      line.delete(guest);
    },
    drain() {
      for (const guest of line) {
        if (!isOpen()) return;
        if (seated.size >= count) return makeRoom();
        line.delete(guest);
        seated.add(guest);
        admit(guest);
      }
    },
  };
}
