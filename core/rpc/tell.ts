import type { BonevalueError } from "../errors.ts";
import type { Peer } from "../peer.ts";
import { type Packed, pack } from "../wire/codec.ts";
import type { Calling } from "./call.ts";
import type { Module } from "./module.ts";
import { thrownError } from "./thrown-error.ts";

/** How a one-way message is sent. */
export interface TellOptions {
  readonly keepAlive?: boolean | undefined;
  readonly lossy?: boolean | undefined;
}

// What a lossy message may take: it travels whole in one packet.
const largestLossy = 1_024;

/** Sends a request that nothing comes back for. */
export type Tell = (targets: readonly Peer[], module: Module, request: unknown, options: TellOptions) => void;

/** One-way messages. What cannot be sent at all goes to `failed`. */
export function createTell({ pool, limits, linger, refusal }: Calling, failed: (error: BonevalueError) => void): Tell {
  // Peers whose link a lossy message waits for: the next ones are dropped, since they could only be late.
  const knocking = new Set<string>();

  function tell(peer: Peer, module: Module, packed: Packed, { keepAlive, lossy = false }: TellOptions): void {
    if (lossy && knocking.has(peer.id)) return;
    if (lossy) knocking.add(peer.id);
    pool.start(peer.id, {
      begin({ service, use }) {
        knocking.delete(peer.id);
        use(linger(keepAlive));
        service.tell(module.name, packed, lossy);
      },
      fail(reason) {
        knocking.delete(peer.id);
        failed(reason);
      },
    });
  }

  return (targets, module, request, options) => {
    try {
      const { depth, messageSize } = limits;
      const size = options.lossy ? largestLossy : messageSize;
      const packed = pack(request, { name: "request", code: "invalid-request", depth, size });
      for (const peer of targets) {
        const error = refusal(peer);
        if (error) failed(error);
        else tell(peer, module, packed, options);
      }
    } catch (error) {
      failed(thrownError(error));
    }
  };
}
