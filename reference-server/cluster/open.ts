import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { importRedis } from "../optional-packages.ts";
import type { Cluster } from "./cluster.ts";
import { createLocalCluster } from "./local.ts";
import { createRedisCluster } from "./redis.ts";

/** Returns the cluster at the URL `where`, or `where` itself; without one, a cluster of this process alone. */
export async function openCluster(where: string | Cluster | undefined, clock: Clock, log: Log): Promise<Cluster> {
  if (where === undefined) return createLocalCluster(clock);
  if (typeof where === "object") return where;
  if (!/^rediss?:\/\//.test(where))
    throw new Error("The cluster URL (`cluster`, --cluster) is not supported: use a redis:// or rediss:// URL.");
  // First, so that a missing package is not reported as an unreachable cluster.
  await importRedis();
  const cluster = createRedisCluster(where, log);
  return { join: (events) => cluster.join(events).catch((cause: unknown) => unreachable(where, cause)) };
}

function unreachable(url: string, cause: unknown): never {
  // The URL contains a password, so only the host is shown.
  const where = URL.parse(url)?.host ?? "the given URL";
  const reason = cause instanceof Error ? cause.message : String(cause);
  throw new Error(`The cluster at ${where} cannot be used (${reason}): ${adviceFor(reason)}.`, { cause });
}

function adviceFor(reason: string): string {
  if (reason.startsWith("READONLY")) return "this is a replica, so use the URL of its primary";
  if (reason.startsWith("NOPERM")) return "allow this user all commands on bonevalue:* keys and channels";
  if (reason.startsWith("Redis Cluster")) return "use the URL of a single primary";
  return "check that it runs, and the user and password";
}
