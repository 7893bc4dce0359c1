import type { Alias, PeerId } from "../../peer.ts";

/** One tab, as the others know it. */
export interface Member {
  readonly id: PeerId;
  readonly username: Alias;
}

/** Who is there, and who is there no more though it never said goodbye. */
export interface Membership {
  /**
   * Puts us on the roll and has us announced. Resolves with members that we may know; the others answer the
   * announcement before it resolves, or later.
   */
  enter(announce: () => void): Promise<readonly Member[]>;
  /** Tells once that `member` is gone, `lost` when that is a guess. Returns its undo. */
  watch(member: Member, gone: (lost: boolean) => void): () => void;
  /** Something was heard from a member. */
  heard(id: PeerId): void;
  leave(): void;
}
