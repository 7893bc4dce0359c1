/** Where a peer stands around us: degrees clockwise from the right, and its distance. */
export interface Place {
  readonly angle: number;
  readonly reach: number;
}

/** The room there is, from the centre to the outermost peer. */
export interface Extent {
  readonly x: number;
  readonly y: number;
}

// Between two users' peers, as a part of the distance between two peers of one user.
const gap = 0.6;
// Closer than this along the rim, every other peer moves inwards.
const crowded = 62;

/**
 * Places for the peers of each group, in order: on an ellipse, groups apart from each other, the first group's middle on the
 * left.
 */
export function orbit(groups: readonly (readonly string[])[], extent: Extent): ReadonlyMap<string, Place> {
  const present = groups.filter((ids) => ids.length > 0);
  const total = present.flat().length;
  const slots = total + gap * present.length;
  const perSlot = 360 / slots;
  const isCrowded = (perSlot / 360) * Math.PI * (extent.x + extent.y) < crowded;
  const places = new Map<string, Place>();
  let slot = -((present[0]?.length ?? 0) - 1) / 2;
  for (const ids of present) {
    for (const id of ids) {
      const angle = 180 + slot * perSlot;
      const inner = isCrowded && places.size % 2 === 1 ? 0.64 : 1;
      places.set(id, { angle, reach: reachAt(angle, extent) * inner });
      slot++;
    }
    slot += gap;
  }
  return places;
}

function reachAt(angle: number, { x, y }: Extent): number {
  const radians = (angle * Math.PI) / 180;
  return (x * y) / Math.hypot(y * Math.cos(radians), x * Math.sin(radians));
}
