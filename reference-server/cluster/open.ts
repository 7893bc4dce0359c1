import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { importRedis } from "../optional-packages.ts";
import type { Cluster } from "./cluster.ts";
import { localCluster } from "./local.ts";
import { redisCluster } from "./redis.ts";

/** The cluster at `where`, or one already; without one, this process is alone. Rejects with what to do about it. */
export async function openCluster(where: string | Cluster | undefined, clock: Clock, log: Log): Promise<Cluster> {
  if (where === undefined) return localCluster(clock);
  if (typeof where === "object") return where;
  if (!/^rediss?:\/\//.test(where))
    throw new Error("The cluster is nothing that is known here: give a redis:// or rediss:// URL.");
  // First, because its message is not about an unreachable cluster.
  await importRedis();
  const cluster = redisCluster(where, log);
  return { join: (events) => cluster.join(events).catch((cause: unknown) => unreachable(where, cause)) };
}

function unreachable(url: string, cause: unknown): never {
  // The URL holds a password.
  const where = URL.parse(url)?.host ?? "the URL given";
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new Error(`The cluster at ${where} cannot be used (${reason}): check that it runs, and user and password.`, {
    cause,
  });
}
