import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Person } from "../crowd.ts";
import { withFile } from "../places.ts";
import { connect, each, passed } from "../swarm.ts";
import { startTarget, type Target } from "../target.ts";
import type { Figure } from "./figure.ts";

const frames = Number(process.env["BENCH_FRAMES"] ?? 1_000_000);
const sockets = 32;

/** Frames of every kind of wrong: random bytes, mutated text, and valid frames with data that nobody expects. */
export const fuzz: Figure = {
  name: "fuzz",
  title: `${frames} random and mutated frames: crashes`,
  unit: "",
  goal: { atMost: 0 },
  measure: () =>
    withFile(sockets / 4, 4, async (store, groups) => {
      const target = await startTarget("bonevalue", { store });
      const people = groups.flat();
      await attack(target, people, Math.min(20_000, frames / 10));
      const before = await target.memory();
      await attack(target, people, frames);
      await passed(2_000);
      const after = await target.memory();
      const alive = await connect(target, people[0]!).then(
        () => 0,
        () => 1,
      );
      await target.kill();
      return { bonevalue: alive, notes: { "grown, MiB": (after.used - before.used) / 2 ** 20 } };
    }),
};

async function attack(target: Target, people: readonly Person[], count: number): Promise<void> {
  await each(people, people.length, async (person) => {
    for (let left = count / people.length; left > 0; ) {
      const { socket } = await connect(target, person);
      const gone = once(socket, "close");
      for (; left > 0 && socket.readyState === socket.OPEN; left--) {
        socket.send(...frame(people));
        if (left % 50 < 1) await passed(1);
      }
      socket.close(4_000);
      await gone;
    }
  });
}

const types = ["peerRequest", "peerResponse", "inviteUser", "requestToken", "claimToken", "removeUser", "ping", "pong"];

function frame(people: readonly Person[]): [data: string | Buffer] {
  const kind = Math.random();
  if (kind < 0.02) return [randomBytes(1 + Math.random() * 200)];
  const type = types[Math.floor(Math.random() * types.length)];
  const value = () => randomBytes(Math.random() * 40).toString(Math.random() < 0.5 ? "latin1" : "hex");
  const to = people[Math.floor(Math.random() * people.length)]!.id;
  const data = { to, signal: value(), name: value(), token: value(), email: value(), __proto__: null, [value()]: 1 };
  const text = JSON.stringify({ type, data, id: 1 + Math.floor(Math.random() * 1e6) });
  if (kind < 0.95) return [text];
  const at = Math.floor(Math.random() * text.length);
  return [text.slice(0, at) + value() + text.slice(at + Math.random() * 5)];
}
