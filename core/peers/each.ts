import { requireFunction } from "../check-arguments.ts";
import { guard, report } from "../events.ts";
import type { Peer } from "../peer.ts";
import type { Live } from "../reactive.ts";

/**
 * Visits every peer in `list` while it is there, those that come later included; `signal` aborts when it leaves, or when
 * the visits are undone.
 */
export function visitEach(
  list: Live<readonly Peer[]>,
  visit: (peer: Peer, signal: AbortSignal) => unknown,
): () => void {
  requireFunction(visit, "A visit");
  const visits = new Map<Peer, AbortController>();
  let stopped = false;

  function end(peer: Peer, visited: AbortController) {
    visits.delete(peer);
    visited.abort();
  }

  const stop = list.subscribe((peers) => {
    const present = new Set(peers);
    for (const [peer, visited] of visits) if (!present.has(peer)) end(peer, visited);
    for (const peer of peers) {
      // A visit may be the one that ends them.
      if (stopped || visits.has(peer)) continue;
      const visited = new AbortController();
      visits.set(peer, visited);
      run(visit, peer, visited.signal);
    }
  });

  return () => {
    stopped = true;
    stop();
    for (const [peer, visited] of visits) end(peer, visited);
  };
}

function run(visit: (peer: Peer, signal: AbortSignal) => unknown, peer: Peer, signal: AbortSignal): void {
  guard(() => {
    // What fails once the peer has left fails because of that.
    Promise.resolve(visit(peer, signal)).catch((error) => signal.aborted || report(error));
  });
}
