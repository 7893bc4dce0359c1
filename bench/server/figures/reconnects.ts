import { once } from "node:events";
import type { Person } from "../crowd.ts";
import { withFile } from "../places.ts";
import { type Client, comeBack, connect, dismiss, each, until } from "../swarm.ts";
import { startTarget, type Target, unlimited } from "../target.ts";
import type { Figure } from "./figure.ts";

const clients = 10_000;
const size = 4;

/**
 * A server that is killed and started again, and everybody at its door. Clients notice by themselves and go by their own
 * back-off; the time counts from the kill, so the server's own start is in it.
 */
export const reconnects: Figure = {
  name: "reconnects",
  title: `${clients} clients reconnecting at once: from kill -9 until all are back and their lists right`,
  unit: "s",
  goal: { atMost: 10 },
  measure: () =>
    withFile(clients / size, size, async (store, groups) => {
      const first = await startTarget("bonevalue", { store });
      const port = Number(new URL(first.url).port);
      const returns = await each(groups.flat(), 64, async (person) => returning(first, person));
      const began = performance.now();
      const since = () => (performance.now() - began) / 1_000;
      await first.kill();
      const again = await startTarget("bonevalue", { store, port, limits: unlimited });
      const listening = since();
      const back = new Map((await Promise.all(returns.map(({ back }) => back))).map((client) => [client.id, client]));
      const allBack = since();
      const wrong = () => groups.flatMap((group) => group.filter((person) => !isRight(back, person, group))).length;
      await until(() => wrong() === 0).catch(() => {});
      const right = since();
      const notes = {
        "listening after, s": listening,
        "all back after, s": allBack,
        "wrong lists": wrong(),
        "password hashes": await hashes(again),
      };
      await dismiss([...back.values()]);
      await again.kill();
      return { bonevalue: right, notes };
    }),
};

/** Signs in, and comes back by itself when the socket breaks. In an object, or it would be awaited. */
async function returning(target: Target, person: Person): Promise<{ readonly back: Promise<Client> }> {
  const { socket } = await connect(target, person);
  return { back: once(socket, "close").then(() => comeBack(target, person)) };
}

function isRight(clients: ReadonlyMap<string, Client>, { id }: Person, group: readonly Person[]): boolean {
  const peers = clients.get(id)?.peers;
  return peers?.size === group.length - 1 && group.every((other) => other.id === id || peers.has(other.id));
}

/** How many passwords a server has hashed or checked. */
async function hashes({ url }: Target): Promise<number> {
  const metrics = await (await fetch(new URL("/metrics", url.replace("ws", "http")))).text();
  return Number(/^bonevalue_password_seconds_count (\d+)$/m.exec(metrics)?.[1]);
}
