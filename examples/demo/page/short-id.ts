import type { PeerId } from "bonevalue";

/** As much of a peer id as tells peers apart on one page. */
export function shortId(id: PeerId): string {
  return id.slice(0, 6);
}
