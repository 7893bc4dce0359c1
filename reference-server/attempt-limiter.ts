import { closeCode } from "../core/protocol/close-code.ts";
import { networkOf } from "./address.ts";
import type { ClusterNode } from "./cluster/cluster.ts";
import type { ServerLimits } from "./limits.ts";
import { Refusal } from "./refusal.ts";

const minute = 60_000;
const failures: ReadonlySet<string> = new Set(["unauthenticated", "token-invalid"]);

/** Counts on all nodes together what an attacker would repeat. Nothing that others do locks a live session out. */
export interface AttemptLimiter {
  /** Runs a check of a proof; only a failed one stays counted. Rejects with `rate-limited` before it runs. */
  proof<Result>(username: string | undefined, address: string, check: () => Promise<Result>): Promise<Result>;
  /** As `proof`, beside a live session of `username`: counted for that user alone. */
  again<Result>(username: string, check: () => Promise<Result>): Promise<Result>;
  claim(username: string, address: string): Promise<void>;
  token(username: string): Promise<void>;
  invitation(username: string): Promise<void>;
}

/** What it takes for {@link AttemptLimiter}. */
export function createAttemptLimiter(node: ClusterNode, limits: ServerLimits): AttemptLimiter {
  async function take(key: string, limit: number, period: number): Promise<void> {
    const after = await node.take(key, limit, period);
    if (after > 0)
      throw new Refusal("rate-limited", `Too many attempts: try again in ${Math.ceil(after / 1_000)} s.`, {
        close: closeCode.overloaded,
        after,
      });
  }

  async function counted<Result>(keys: ReadonlyMap<string, number>, check: () => Promise<Result>): Promise<Result> {
    const taken: string[] = [];
    let failed = false;
    try {
      // Counted before the check, so that many at once do not slip through.
      for (const [key, limit] of keys) {
        await take(key, limit, minute);
        taken.push(key);
      }
      return await check();
    } catch (error) {
      failed = error instanceof Refusal && failures.has(error.code);
      throw error;
    } finally {
      if (!failed) for (const key of taken) await node.giveBack(key);
    }
  }

  return {
    proof(username, address, check) {
      const network = networkOf(address);
      const keys = new Map([[`address ${network}`, limits.failuresPerAddress]]);
      if (username !== undefined) keys.set(`account ${network} ${username}`, limits.failuresPerAccount);
      return counted(keys, check);
    },
    again: (username, check) => counted(new Map([[`again ${username}`, limits.failuresPerAccount]]), check),
    claim: (username, address) => take(`claim ${networkOf(address)} ${username}`, limits.claims, 10 * minute),
    token: (username) => take(`token ${username}`, limits.tokens, 60 * minute),
    invitation: (username) => take(`invitation ${username}`, limits.invitations, 60 * minute),
  };
}
