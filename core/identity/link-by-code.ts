import { BonevalueError } from "../errors.ts";
import type { Peer, PeerId } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import { redialError } from "./identified-links.ts";
import type { Identity } from "./identify.ts";
import { without } from "./record.ts";
import type { TokenPart } from "./tokens.ts";
import { addClaim, claimFor } from "./user-changes.ts";

const timeoutMs = 15_000;

/**
 * Links this device by a code of another one. Resolves when both are in one account, whichever of the two joins. Rejects with
 * `timeout` after 15 s, with `cancelled` at the end of the sign-in, and with `identity-mismatch` once all devices of the user
 * that are online have refused the code.
 */
export async function linkByCode(identity: Identity, part: TokenPart): Promise<void> {
  const { client, links, watchers, apply } = identity;
  const claim = claimFor(us, part, false, Date.now());
  const isLinked = () => !identity.record.claims.some(({ secret }) => secret === claim.secret);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const tried = new Set<PeerId>();
  const refused = new Set<PeerId>();

  function check(): void {
    if (isLinked()) resolve();
    else if (identity.isStopped) reject(new BonevalueError("cancelled", "The sign-in has ended during the linking."));
    else dialAll();
  }

  function dialAll(): void {
    for (const { id } of ownPeers()) {
      if (tried.has(id)) continue;
      tried.add(id);
      dial(id, 2);
    }
  }

  /** Where the maker joins, the second dial carries the approval. */
  function dial(id: PeerId, times: number): void {
    client.dial(id).then(
      () => {
        if (isLinked() || times === 1) return;
        endLinks("The devices are being linked.");
        dial(id, times - 1);
      },
      (error) => {
        if (error.code === "identity-mismatch") refused.add(id);
        const peers = ownPeers();
        if (peers.length > 0 && peers.every((peer) => refused.has(peer.id))) reject(error);
      },
    );
  }

  function endLinks(why: string): void {
    links.end((alias) => alias === us, redialError(why));
  }

  function ownPeers(): readonly Peer[] {
    return client.peers().filter(({ name }) => name === us);
  }

  await apply((known) => addClaim(known, claim));
  endLinks("A linking code was entered.");
  const timer = setTimeout(() => reject(notLinked()), timeoutMs);
  watchers.add(check);
  try {
    check();
    await promise;
    await identity.published;
  } catch (error) {
    await apply((known) => without(known, "claims", us));
    throw error;
  } finally {
    clearTimeout(timer);
    watchers.delete(check);
  }
}

function notLinked(): BonevalueError {
  return new BonevalueError(
    "timeout",
    "The device that made the code is not online, or the code was replaced. Open the app there and try again.",
  );
}
