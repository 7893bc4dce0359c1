import type { PeerId } from "bonevalue";

/** A place in the box, from 0 to 1 both ways. */
export interface Position {
  readonly x: number;
  readonly y: number;
}

/** Where each peer's cursor is; a listener hears of one peer only. */
export interface Positions {
  of(peer: PeerId): Position | undefined;
  move(peer: PeerId, position: Position): void;
  /** Returns the undo. */
  subscribe(peer: PeerId, listener: () => void): () => void;
}

/** No cursor yet. */
export function createPositions(): Positions {
  const positions = new Map<PeerId, Position>();
  const listeners = new Map<PeerId, Set<() => void>>();

  return {
    of: (peer) => positions.get(peer),
    move(peer, position) {
      positions.set(peer, position);
      for (const listener of listeners.get(peer) ?? []) listener();
    },
    subscribe(peer, listener) {
      const heard = listeners.get(peer) ?? new Set();
      listeners.set(peer, heard.add(listener));
      return () => {
        heard.delete(listener);
        if (heard.size > 0) return;
        listeners.delete(peer);
        positions.delete(peer);
      };
    },
  };
}
