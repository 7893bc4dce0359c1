import { once } from "node:events";
import { type Client, closeAll, connect, mapConcurrently, reconnect, waitUntil } from "../clients.ts";
import { type ServerUnderTest, startServerUnderTest, unlimited } from "../server-under-test.ts";
import { withSqlite } from "../stores.ts";
import type { TestUser } from "../test-users.ts";
import type { ServerMetric } from "./metric.ts";

const clients = 10_000;
const size = 4;

/**
 * A server that is killed and started again, and everybody at its door. Clients notice by themselves and go by their own
 * back-off; the time counts from the kill, so the server's own start is in it.
 */
export const reconnects: ServerMetric = {
  name: "reconnects",
  title: `${clients} clients reconnecting at once: from kill -9 until all are back and their lists right`,
  unit: "s",
  goal: { atMost: 10 },
  measure: () =>
    withSqlite(clients / size, size, async (store, groups) => {
      const first = await startServerUnderTest("bonevalue", { store });
      const port = Number(new URL(first.url).port);
      const returns = await mapConcurrently(groups.flat(), 64, async (user) => returning(first, user));
      const began = performance.now();
      const since = () => (performance.now() - began) / 1_000;
      await first.kill();
      const again = await startServerUnderTest("bonevalue", { store, port, limits: unlimited });
      const listening = since();
      const back = new Map((await Promise.all(returns.map(({ back }) => back))).map((client) => [client.id, client]));
      const allBack = since();
      const wrong = () => groups.flatMap((group) => group.filter((user) => !isRight(back, user, group))).length;
      await waitUntil(() => wrong() === 0).catch(() => {});
      const right = since();
      const notes = {
        "listening after, s": listening,
        "all back after, s": allBack,
        "wrong lists": wrong(),
        "password hashes": await hashes(again),
      };
      await closeAll([...back.values()]);
      await again.kill();
      return { bonevalue: right, notes };
    }),
};

/** Signs in, and comes back by itself when the socket breaks. In an object, or it would be awaited. */
async function returning(target: ServerUnderTest, user: TestUser): Promise<{ readonly back: Promise<Client> }> {
  const { socket } = await connect(target, user);
  return { back: once(socket, "close").then(() => reconnect(target, user)) };
}

function isRight(clients: ReadonlyMap<string, Client>, { id }: TestUser, group: readonly TestUser[]): boolean {
  const peers = clients.get(id)?.peers;
  return peers?.size === group.length - 1 && group.every((other) => other.id === id || peers.has(other.id));
}

/** How many passwords a server has hashed or checked. */
async function hashes({ url }: ServerUnderTest): Promise<number> {
  const metrics = await (await fetch(new URL("/metrics", url.replace("ws", "http")))).text();
  return Number(/^bonevalue_password_seconds_count (\d+)$/m.exec(metrics)?.[1]);
}
