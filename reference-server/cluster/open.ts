import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Cluster } from "./cluster.ts";
import { localCluster } from "./local.ts";

/** The cluster at `where`, or one already; without one, this process is alone. Rejects with what to do about it. */
export async function openCluster(where: string | Cluster | undefined, clock: Clock, log: Log): Promise<Cluster> {
  if (where === undefined) return localCluster(clock);
  if (typeof where === "object") return where;
  if (!/^rediss?:\/\//.test(where)) throw new Error(`"${where}" is no cluster: give a redis:// or rediss:// URL.`);
  const { redisCluster } = await import("./redis.ts").catch((cause: unknown) => {
    throw new Error("A redis:// cluster needs the package @redis/client: install it beside bonevalue.", { cause });
  });
  return redisCluster(where, log);
}
