import { requireFunction } from "../check-arguments.ts";
import { guard, report } from "../events.ts";
import type { Peer } from "../peer.ts";
import type { Live } from "../reactive.ts";

/**
 * Calls `visit` for each peer in `list`, now and later. `signal` aborts when the peer leaves the list or the visits are
 * undone. Returns the undo.
 */
export function visitEach(
  list: Live<readonly Peer[]>,
  visit: (peer: Peer, signal: AbortSignal) => unknown,
): () => void {
  requireFunction(visit, "A visit");
  const visits = new Map<Peer, AbortController>();
  let stopped = false;

  function end(peer: Peer, controller: AbortController) {
    visits.delete(peer);
    controller.abort();
  }

  const stop = list.subscribe((peers) => {
    const present = new Set(peers);
    for (const [peer, controller] of visits) if (!present.has(peer)) end(peer, controller);
    for (const peer of peers) {
      // A visit may undo the visits.
      if (stopped || visits.has(peer)) continue;
      const controller = new AbortController();
      visits.set(peer, controller);
      run(visit, peer, controller.signal);
    }
  });

  return () => {
    stopped = true;
    stop();
    for (const [peer, controller] of visits) end(peer, controller);
  };
}

function run(visit: (peer: Peer, signal: AbortSignal) => unknown, peer: Peer, signal: AbortSignal): void {
  guard(() => {
    // After the peer has left, an error is a consequence of that.
    Promise.resolve(visit(peer, signal)).catch((error) => signal.aborted || report(error));
  });
}
