import { type Client, closeAll, connect, sleep } from "../clients.ts";
import { type ServerUnderTest, startServerUnderTest } from "../server-under-test.ts";
import { withSqlite } from "../stores.ts";
import type { ServerMetric } from "./metric.ts";

const megabytes = 96;
const signal = { text: "x".repeat(60_000) };

/** Much towards a client that does not read. */
export const slowReader: ServerMetric = {
  name: "slow-reader",
  title: `${megabytes} MB towards a client that does not read: the server grows`,
  unit: "MiB",
  goal: { atMost: 2 },
  measure: () =>
    withSqlite(1, 2, async (store, [users]) => {
      const target = await startServerUnderTest("bonevalue", { store });
      const [fast, slow] = [await connect(target, users![0]!), await connect(target, users![1]!)];
      // What the engine compiles for this is no growth.
      await oneByOne(fast, slow, 300);
      const before = await target.memory();
      slow.socket.pause();
      const began = performance.now();
      let closedAfter: number | undefined;
      let most = before.used;
      const look = async () => {
        most = Math.max(most, (await target.memory()).used);
        if (closedAfter === undefined && (await sockets(target)) === 1) closedAfter = performance.now() - began;
      };
      await flood(fast, slow, megabytes, look);
      while (closedAfter === undefined && performance.now() - began < 10_000) await look();
      await closeAll([fast, slow]);
      await target.kill();
      const notes = { "closed after the first byte, ms": closedAfter ?? Number.NaN };
      return { bonevalue: (most - before.used) / 2 ** 20, notes };
    }),
};

async function oneByOne(from: Client, to: Client, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const arrived = new Promise((resolve) => {
      to.onSignal = resolve;
    });
    from.relay(to.id, signal);
    await arrived;
  }
}

async function flood(from: Client, to: Client, megabytes: number, look: () => Promise<void>): Promise<void> {
  for (let sent = 0; sent < megabytes * 1e6; sent += signal.text.length) {
    from.relay(to.id, signal);
    if (from.socket.bufferedAmount < 1e6) continue;
    while (from.socket.bufferedAmount > 0) await sleep(1);
    await look();
  }
}

async function sockets({ url }: ServerUnderTest): Promise<number> {
  const text = await (await fetch(`${url.replace("ws", "http")}/metrics`)).text();
  return Number(/^bonevalue_sockets (\d+)$/m.exec(text)?.[1]);
}
