/** The polar coordinates of a peer: degrees clockwise from the right, and the distance from the centre. */
export interface Position {
  readonly angle: number;
  readonly reach: number;
}

/** The distance from the centre to the outermost peers. */
export interface Extent {
  readonly x: number;
  readonly y: number;
}

// Additional space between the peers of two users, relative to the distance between two peers of one user.
const gap = 0.6;
// If peers are closer than this, every other one moves inwards.
const minDistance = 62;

/**
 * Positions the peers of each group in order on an ellipse, with gaps between groups. The middle of the first group is on
 * the left.
 */
export function layOut(groups: readonly (readonly string[])[], extent: Extent): ReadonlyMap<string, Position> {
  const present = groups.filter((ids) => ids.length > 0);
  const total = present.flat().length;
  const slots = total + gap * present.length;
  const perSlot = 360 / slots;
  const isCrowded = (perSlot / 360) * Math.PI * (extent.x + extent.y) < minDistance;
  const places = new Map<string, Position>();
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
