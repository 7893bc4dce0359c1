import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Cluster } from "./cluster.ts";
import { localCluster } from "./local.ts";

/** The cluster at `where`; without one, this process is alone. */
export async function openCluster(where: string | Cluster | undefined, clock: Clock, _log: Log): Promise<Cluster> {
  if (typeof where === "object") return where;
  return localCluster(clock);
}
