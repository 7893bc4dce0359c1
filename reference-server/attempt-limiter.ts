import { closeCode } from "../core/protocol/close-code.ts";
import { networkOf } from "./address.ts";
import type { ClusterNode } from "./cluster/cluster.ts";
import type { ServerLimits } from "./limits.ts";
import { Refusal } from "./refusal.ts";

const minute = 60_000;
const failures: ReadonlySet<string> = new Set(["unauthenticated", "token-invalid"]);

/** Limits attempts that an attacker could repeat, counted over all nodes. Attempts of others never lock out a live session. */
export interface AttemptLimiter {
  /** Runs a check of credentials; only failures stay counted. Above the limit, rejects with `rate-limited` without running it. */
  limitSignIn<Result>(username: string | undefined, address: string, check: () => Promise<Result>): Promise<Result>;
  /** As `limitSignIn`, for a client that also has a valid session of `username`: counted for that user only. */
  limitResume<Result>(username: string, check: () => Promise<Result>): Promise<Result>;
  countClaim(username: string, address: string): Promise<void>;
  countToken(username: string): Promise<void>;
  countInvitation(username: string): Promise<void>;
  /** Counts an invitation to this address, of all users together. */
  countMail(email: string): Promise<void>;
  countRoomJoin(address: string): Promise<void>;
}

/** Creates a limiter that counts with `node`. */
export function createAttemptLimiter(node: ClusterNode, limits: ServerLimits): AttemptLimiter {
  async function consume(key: string, limit: number, period: number): Promise<void> {
    const after = await node.consume(key, limit, period);
    if (after > 0)
      throw new Refusal("rate-limited", `Too many attempts: try again in ${Math.ceil(after / 1_000)} s.`, {
        close: closeCode.overloaded,
        after,
      });
  }

  async function withCounters<Result>(
    keys: ReadonlyMap<string, number>,
    check: () => Promise<Result>,
  ): Promise<Result> {
    const taken: string[] = [];
    let failed = false;
    try {
      // Counted before the check, so that concurrent attempts are limited too.
      for (const [key, limit] of keys) {
        await consume(key, limit, minute);
        taken.push(key);
      }
      return await check();
    } catch (error) {
      failed = error instanceof Refusal && failures.has(error.code);
      throw error;
    } finally {
      if (!failed) for (const key of taken) await node.refund(key);
    }
  }

  return {
    limitSignIn(username, address, check) {
      const network = networkOf(address);
      const keys = new Map([[`address ${network}`, limits.failuresPerAddress]]);
      if (username !== undefined) keys.set(`account ${network} ${username}`, limits.failuresPerAccount);
      return withCounters(keys, check);
    },
    limitResume: (username, check) => withCounters(new Map([[`again ${username}`, limits.failuresPerAccount]]), check),
    countClaim: (username, address) => consume(`claim ${networkOf(address)} ${username}`, limits.claims, 10 * minute),
    countToken: (username) => consume(`token ${username}`, limits.tokens, 60 * minute),
    countInvitation: (username) => consume(`invitation ${username}`, limits.invitations, 60 * minute),
    countMail: (email) => consume(`mail ${email}`, limits.mailsPerAddress, 24 * 60 * minute),
    countRoomJoin: (address) => consume(`room ${networkOf(address)}`, limits.roomJoins, minute),
  };
}
