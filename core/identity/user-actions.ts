import { fromBase64Url, toBase64Url } from "../bytes.ts";
import type { DiscoverySession } from "../discovery/discovery.ts";
import { BonevalueError, type ErrorCode } from "../errors.ts";
import type { Alias } from "../peer.ts";
import { us } from "../protocol/alias.ts";
import { type Identity, redial } from "./identify.ts";
import { linkByCode } from "./link-by-code.ts";
import { type IdentityRecord, purposeOf, userOf, without } from "./record.ts";
import { isMadeBy } from "./tokens.ts";
import {
  accept,
  addClaim,
  addToken,
  claimFor,
  clientTokenAgeMs,
  createTokenPart,
  endTrust,
  readTokenPart,
  removeDevice,
  tokenAgeMs,
} from "./user-changes.ts";

// What a user does about identities. Pages load it with the first use.

/** The requests of a session that concern identity. */
export type TokenServer = Pick<DiscoverySession, "requestToken" | "claimToken" | "removeUser">;

/** The functions with which a user verifies others and manages devices. */
export interface UserActions {
  /** Requests and claims tokens, with `server` where they need one. */
  tokens(server: TokenServer): TokenServer;
  acceptIdentity(alias: Alias, account: string): Promise<void>;
  removeDevice(device: string): Promise<void>;
  resetIdentity(): Promise<void>;
}

/** Creates the actions of one sign-in. */
export function createUserActions(identity: Identity): UserActions {
  const { client, algorithms, apply } = identity;

  function requireAccount(): void {
    if (identity.isRoom) {
      const message = "In a room, all who have its secret are one account. Sign in with an account.";
      throw new BonevalueError("unsupported", message);
    }
  }

  async function makeToken(alias: Alias, made?: { readonly token: string; readonly expires: Date }) {
    const account = fromBase64Url(identity.record.account)!;
    const { secret, text } = await createTokenPart(algorithms, purposeOf(alias), account);
    const until = Date.now() + (made ? tokenAgeMs : clientTokenAgeMs);
    await apply((known) => addToken(known, { alias, secret: toBase64Url(secret), until }));
    return { token: `${made?.token ?? ""}.${text}`, expires: made?.expires ?? new Date(until) };
  }

  return {
    tokens: (server) => ({
      async requestToken(alias) {
        if (alias === us) requireLinking(identity.record);
        if (alias === us || client.isUser(alias)) return makeToken(alias);
        const made = await server.requestToken(alias).catch((error) => {
          // The app decides who trusts whom, so the token only verifies.
          if (codeOf(error) !== "unsupported") throw error;
          return undefined;
        });
        return makeToken(alias, made);
      },
      async claimToken(alias, token) {
        const part = readTokenPart(token);
        if (!part) return server.claimToken(alias, token);
        if (alias === us) {
          requireLinking(identity.record);
          return linkByCode(identity, part);
        }
        const { certain } = userOf(identity.record, alias);
        const answered =
          certain !== undefined && (await isMadeBy(algorithms, part, purposeOf(alias), fromBase64Url(certain)!));
        const before = identity.record.claims.filter((claim) => claim.alias === alias);
        await apply((known) => addClaim(known, claimFor(alias, part, answered, Date.now())));
        const serverPart = token.slice(0, token.indexOf("."));
        if (serverPart !== "" && !client.isUser(alias)) {
          await server.claimToken(alias, serverPart).catch(async (error) => {
            // Both users have claimed each other's token: one claim is refused, and both tokens verify.
            if (client.isUser(alias)) return;
            if (isRefusal(error)) {
              await apply((known) => ({ ...known, claims: [...without(known, "claims", alias).claims, ...before] }));
            }
            throw error;
          });
        }
        redial(identity, (other, verified) => other === alias && !verified, `A token for "${alias}" was claimed.`);
      },
      async removeUser(alias) {
        const end = () => apply((known) => endTrust(known, alias));
        await server.removeUser(alias).catch(async (error) => {
          if (codeOf(error) === "alias-unknown") await end();
          throw error;
        });
        await end();
      },
    }),
    async acceptIdentity(alias, account) {
      requireAccount();
      await apply((known) => accept(known, alias, account, Date.now()));
    },
    async removeDevice(removed) {
      requireAccount();
      await apply((known) => removeDevice(known, removed));
      // Proofs carry the removal, so online peers get one at once.
      const isConcerned = (alias: Alias) => alias === us || userOf(identity.record, alias).certain !== undefined;
      redial(identity, isConcerned, "A device was removed from this account.");
    },
    async resetIdentity() {
      requireAccount();
      await identity.reset();
    },
  };
}

function requireLinking({ derived }: IdentityRecord): void {
  if (!derived) return;
  const message = "This account has a `secret`: give it to the other device instead of a code.";
  throw new BonevalueError("unsupported", message);
}

/** Whether the server has refused a claim. Otherwise it may have been made although there was no answer. */
function isRefusal(error: unknown): boolean {
  return !["disconnected", "timeout", "unreachable"].includes(codeOf(error) ?? "");
}

function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof BonevalueError ? error.code : undefined;
}
