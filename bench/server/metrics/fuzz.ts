import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, mapConcurrently, sleep } from "../clients.ts";
import { type ServerUnderTest, startServerUnderTest } from "../server-under-test.ts";
import { withSqlite } from "../stores.ts";
import type { TestUser } from "../test-users.ts";
import type { ServerMetric } from "./metric.ts";

const frames = Number(process.env["BENCH_FRAMES"] ?? 1_000_000);
const sockets = 32;

/** Frames of every kind of wrong: random bytes, mutated text, and valid frames with data that nobody expects. */
export const fuzz: ServerMetric = {
  name: "fuzz",
  title: `${frames} random and mutated frames: crashes`,
  unit: "",
  goal: { atMost: 0 },
  measure: () =>
    withSqlite(sockets / 4, 4, async (store, groups) => {
      const target = await startServerUnderTest("bonevalue", { store });
      const users = groups.flat();
      await attack(target, users, Math.min(20_000, frames / 10));
      const before = await target.memory();
      await attack(target, users, frames);
      await sleep(2_000);
      const after = await target.memory();
      const alive = await connect(target, users[0]!).then(
        () => 0,
        () => 1,
      );
      await target.kill();
      return { bonevalue: alive, notes: { "grown, MiB": (after.used - before.used) / 2 ** 20 } };
    }),
};

async function attack(target: ServerUnderTest, users: readonly TestUser[], count: number): Promise<void> {
  await mapConcurrently(users, users.length, async (user) => {
    for (let left = count / users.length; left > 0; ) {
      const { socket } = await connect(target, user);
      const gone = once(socket, "close");
      for (; left > 0 && socket.readyState === socket.OPEN; left--) {
        socket.send(...frame(users));
        if (left % 50 < 1) await sleep(1);
      }
      socket.close(4_000);
      await gone;
    }
  });
}

const types = ["peerRequest", "peerResponse", "inviteUser", "requestToken", "claimToken", "removeUser", "ping", "pong"];

function frame(users: readonly TestUser[]): [data: string | Buffer] {
  const kind = Math.random();
  if (kind < 0.02) return [randomBytes(1 + Math.random() * 200)];
  const type = types[Math.floor(Math.random() * types.length)];
  const value = () => randomBytes(Math.random() * 40).toString(Math.random() < 0.5 ? "latin1" : "hex");
  const to = users[Math.floor(Math.random() * users.length)]!.id;
  const data = { to, signal: value(), name: value(), token: value(), email: value(), __proto__: null, [value()]: 1 };
  const text = JSON.stringify({ type, data, id: 1 + Math.floor(Math.random() * 1e6) });
  if (kind < 0.95) return [text];
  const at = Math.floor(Math.random() * text.length);
  return [text.slice(0, at) + value() + text.slice(at + Math.random() * 5)];
}
