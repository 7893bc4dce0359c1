import type { Alias, PeerId } from "../../peer.ts";

/** One tab. */
export interface Member {
  readonly id: PeerId;
  readonly username: Alias;
  /** Its announcement, if one has arrived. */
  readonly profile?: unknown;
}

/** Tracks which tabs are open, including tabs that end without a `bye` message. */
export interface Membership {
  /**
   * Registers this tab and calls `announce`. Resolves with members that are known already; others may answer the
   * announcement earlier or later.
   */
  join(announce: () => void): Promise<readonly Member[]>;
  /** Calls `onGone` once when `member` is gone; `lost` if that is uncertain. Returns its undo. */
  watch(member: Member, onGone: (lost: boolean) => void): () => void;
  /** A message has arrived from a member. */
  onHeard(id: PeerId): void;
  leave(): void;
}
