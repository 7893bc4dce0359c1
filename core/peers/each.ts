import { requireFunction } from "../check-arguments.ts";
import { guard, report } from "../events.ts";
import { loginOf, type Peer } from "../peer.ts";
import type { Live } from "../reactive.ts";

/**
 * Calls `visit` for each peer in `list`, now and later. `signal` aborts when the peer leaves the list or the visits are
 * undone. Returns the undo.
 */
export function visitEach(
  list: Live<readonly Peer[]>,
  visit: (peer: Peer, signal: AbortSignal) => unknown,
): () => void {
  requireFunction(visit, "The argument of `each`");
  // By login: a visit goes on when the profile of its peer changes.
  const visits = new Map<Peer, AbortController>();
  let stopped = false;

  function end(login: Peer, controller: AbortController) {
    visits.delete(login);
    controller.abort();
  }

  const stop = list.subscribe((peers) => {
    const present = new Set(peers.map(loginOf));
    for (const [login, controller] of visits) if (!present.has(login)) end(login, controller);
    for (const peer of peers) {
      // A visit may undo the visits.
      if (stopped || visits.has(loginOf(peer))) continue;
      const controller = new AbortController();
      visits.set(loginOf(peer), controller);
      run(visit, peer, controller.signal);
    }
  });

  return () => {
    stopped = true;
    stop();
    for (const [login, controller] of visits) end(login, controller);
  };
}

function run(visit: (peer: Peer, signal: AbortSignal) => unknown, peer: Peer, signal: AbortSignal): void {
  guard(() => {
    // After the peer has left, an error is a consequence of that.
    Promise.resolve(visit(peer, signal)).catch((error) => signal.aborted || report(error));
  });
}
