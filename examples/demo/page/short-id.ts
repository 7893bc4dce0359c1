import type { PeerId } from "bonevalue";

/** The start of a peer id, which is unique enough for one page. */
export function shortId(id: PeerId): string {
  return id.slice(0, 6);
}
