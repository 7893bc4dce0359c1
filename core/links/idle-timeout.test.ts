import { expect, test } from "vitest";
import type { ClientOptions } from "../client.ts";
import { createMemoryDiscovery } from "../discovery/memory.ts";
import { all } from "../rpc/streams/testing/linked-pair.ts";
import { createClientOn } from "../testing/client-on.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { createMemoryNetwork } from "../transport/memory.ts";
import type { Transport } from "../transport/transport.ts";

/** Ann, whose idle time is 0, and Bob, in virtual time. `messages` counts what both send. */
async function pair(ofBob: ClientOptions = {}) {
  const clock = createVirtualClock();
  const discovery = createMemoryDiscovery({ clock, latency: 5, random: Math.random });
  const paths = createMemoryNetwork({ clock, latency: 5 });
  const counted = { messages: 0 };
  const transport: Transport = {
    open(...args) {
      const link = paths.transport.open(...args);
      return Object.create(link, {
        send: {
          value(...message: Parameters<typeof link.send>) {
            counted.messages++;
            link.send(...message);
          },
        },
        lowMark: {
          get: () => link.lowMark,
          set(mark: number) {
            link.lowMark = mark;
          },
        },
      });
    },
  };
  for (const name of ["ann", "bob"]) discovery.addUser(name, "");
  discovery.trust("ann", "bob", "bob", "ann");
  const [ann, bob] = [{ idleTimeout: 0 }, ofBob].map((options) =>
    createClientOn(clock, { ...options, discovery, transport }),
  ) as [ReturnType<typeof createClientOn>, ReturnType<typeof createClientOn>];
  ann.connect("test", "ann", "");
  bob.connect("test", "bob", "");
  await clock.advance(50);
  const state = () => ann.link(bob.getId() as string).peek().status;
  return { clock, ann, bob, paths, counted, state };
}

test("an idle time of 0 closes a link as soon as its last call is answered", async () => {
  const { clock, ann, bob, paths, state } = await pair();
  bob.module("Echo", ({ request }) => request);
  const echo = async () => {
    await ann.get("bob").call("Echo", 1).first();
    return ann.get("bob").call("Echo", 2).first();
  };
  const answer = echo();
  await clock.advance(60);
  expect(await answer).toBe(2);
  await clock.advance(30);
  expect([state(), paths.size]).toEqual(["idle", 0]);
});

test("with an idle time of 0 a link that the peer keeps is not offered again and again", async () => {
  const { clock, ann, bob, counted, state } = await pair();
  ann.module("Echo", ({ request }) => request);
  const answer = bob.get("ann").call("Echo", 1).first();
  await clock.advance(100);
  expect(await answer).toBe(1);
  counted.messages = 0;
  await clock.advance(10_000);
  expect(state()).toBe("open");
  expect(counted.messages).toBeLessThan(50);
});

test("with an idle time of 0 an answer's stream can still be read a moment later", async () => {
  const { clock, ann, bob } = await pair();
  bob.module("Count", async function* () {
    yield* [1, 2];
  });
  const answer = ann.get("bob").call("Count").first();
  await clock.advance(100);
  const items = await answer;
  await clock.advance(100);
  const read = all(items as AsyncIterable<number>);
  await clock.advance(100);
  expect(await read).toEqual([1, 2]);
});
