import type { BusMessage, Login } from "./cluster.ts";
import type { RedisCommands } from "./redis-commands.ts";

// Peers in one announcement.
const atOnce = 500;

/**
 * Takes the peers of nodes whose lease has ended, and announces them as lost. Of all nodes one does so for each; `node` is
 * ours.
 */
export async function sweep(
  engine: RedisCommands,
  ended: readonly string[],
  node: string,
  reservation: number,
  announce: (message: BusMessage) => void,
): Promise<void> {
  for (const dead of ended) {
    if (dead === node || !(await engine.reserve(dead, node, reservation))) continue;
    const released = [...(await engine.listOf(dead))].map(async ([id, user]): Promise<Login | undefined> => {
      const epoch = await engine.release(user, id, dead);
      return epoch === undefined ? undefined : { id, user, node: dead, epoch };
    });
    const logins = (await Promise.all(released)).filter((login) => login !== undefined);
    for (let at = 0; at < logins.length; at += atOnce)
      announce({ kind: "go", logins: logins.slice(at, at + atOnce), lost: true });
    await engine.forget(dead);
  }
}
