import type { PeerId } from "bonevalue";

/** A position in the area, from 0 to 1 in both directions. */
export interface Position {
  readonly x: number;
  readonly y: number;
}

/** The cursor position of each peer. A listener is called for one peer only. */
export interface Positions {
  of(peer: PeerId): Position | undefined;
  move(peer: PeerId, position: Position): void;
  /** Returns a function that unsubscribes. */
  subscribe(peer: PeerId, listener: () => void): () => void;
}

/** Creates an empty set of positions. */
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
      const ofPeer = listeners.get(peer) ?? new Set();
      listeners.set(peer, ofPeer.add(listener));
      return () => {
        ofPeer.delete(listener);
        if (ofPeer.size > 0) return;
        listeners.delete(peer);
        positions.delete(peer);
      };
    },
  };
}
