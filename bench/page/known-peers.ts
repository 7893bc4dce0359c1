import type { Discovery } from "../../core/index.ts";
import type { SignalChannel } from "./signal-channel.ts";

/**
 * A discovery of peers who know each other from the start and never leave; `signals` reach all of them. With `offersRelay` it
 * offers a relay that nothing may use.
 */
export function knownPeers(
  signals: SignalChannel,
  own: string,
  others: readonly string[],
  { offersRelay = false }: { readonly offersRelay?: boolean } = {},
): Discovery {
  return {
    open(_host, _credentials, events) {
      signals.listen(({ from, to, kind, signal }) => {
        if (to === own) events.signal(kind, from, signal);
      });
      const peers = others.map((id) => ({ id, name: `user of ${id}` }));
      queueMicrotask(() =>
        events.online({
          self: { id: own, username: `user of ${own}` },
          users: peers.map(({ name }) => name),
          peers,
        }),
      );
      return {
        signal: (kind, to, signal) => signals.send({ from: own, to, kind, signal }),
        invite: refuse,
        requestToken: refuse,
        claimToken: refuse,
        removeUser: refuse,
        changePassword: refuse,
        close: async () => {},
        ...(offersRelay && { openRelay: refuse }),
      };
    },
  };
}

async function refuse(): Promise<never> {
  throw new Error("There is no server here.");
}
