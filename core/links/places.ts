import type { Connection } from "./connection.ts";

/** Who may have a place. Its connection is asked to close where others wait. */
export interface Guest {
  readonly connection?: Pick<Connection, "accepting" | "lastUse" | "offerClose"> | undefined;
}

/** What {@link createPlaces} needs. */
export interface PlacesOptions<G extends Guest> {
  /** How many places there are. */
  readonly count: number;
  /** Whether anybody is let in at present. */
  isOpen(): boolean;
  /** This guest, who waited, has a place now. */
  admit(guest: G): void;
}

/** Places for a few, and the line of those who wait for one. */
export interface Places<G extends Guest> {
  /** Whether it has a place. */
  has(guest: G): boolean;
  /** Whether it waits in a line that is longer than the places which are free, or are being left. */
  isCrowdedOut(guest: G): boolean;
  /** Joins the end of the line, unless it waits already; `fill` lets it in. */
  wait(guest: G): void;
  /** Gives up its place, or its wait for one. */
  leave(guest: G): void;
  /**
   * Lets in who waits, the first first, while there is a place. For each who finds none, one connection is asked to
   * close, of those that are not in use the one unused for longest.
   */
  fill(): void;
}

/** Places that are all free. */
export function createPlaces<G extends Guest>({ count, isOpen, admit }: PlacesOptions<G>): Places<G> {
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
    has: (guest) => seated.has(guest),
    isCrowdedOut: (guest) => line.has(guest) && line.size > count - seated.size + leaving(),
    wait: (guest) => line.add(guest),
    leave(guest) {
      seated.delete(guest);
      line.delete(guest);
    },
    fill() {
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
