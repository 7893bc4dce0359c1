import { type Client, connect, mapConcurrently, waitUntil } from "./clients.ts";
import type { ServerUnderTest } from "./server-under-test.ts";

/** How many joins a cost is the median of. */
const joins = 40;

/** Signs guests in, in turns to each of the targets. Resolves when all have their lists. */
export function enterAll(
  targets: readonly ServerUnderTest[],
  count: number,
  roomOf: (at: number) => string,
): Promise<Client[]> {
  const guests = Array.from({ length: count }, (_, at) => ({ at, room: roomOf(at), name: `Guest ${at}` }));
  return mapConcurrently(guests, 32, ({ at, ...guest }) => connect(targets[at % targets.length]!, guest));
}

/**
 * Processor time of all targets for one join of this room that everybody in it is told of, in ms. The median of several joins,
 * each by a new guest who leaves afterwards.
 */
export async function costOfJoin(
  targets: readonly ServerUnderTest[],
  name: string,
  room: readonly Client[],
): Promise<number> {
  const costs: number[] = [];
  for (let at = 0; at < joins; at++) {
    const before = await processorTime(targets);
    const late = await connect(targets[at % targets.length]!, { room: name, name: "Late" });
    await waitUntil(() => room.every(({ peers }) => peers.has(late.id)));
    costs.push((await processorTime(targets)) - before);
    late.socket.send(JSON.stringify({ type: "bye", data: {} }));
    await waitUntil(() => room.every(({ peers }) => !peers.has(late.id)));
  }
  return costs.sort((a, b) => a - b)[joins / 2]!;
}

async function processorTime(targets: readonly ServerUnderTest[]): Promise<number> {
  const times = await Promise.all(targets.map((target) => target.processorTime()));
  return times.reduce((sum, time) => sum + time, 0);
}
